//! A hash table of a fixed size whose slots sessions claim without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many slots a key may be at. In a table that is half full, fewer than one key in a thousand finds none.
const PROBES: usize = 16;

/// A slot of a table.
pub trait Slot {
    /// The key that the slot is taken by; 0 while it is free.
    fn key(&self) -> &AtomicU64;
}

/// The slot of a key, which is not 0, and whether it was claimed just now. `None` if all slots in which it could be are taken.
pub fn claim<S: Slot>(slots: &[S], key: u64) -> Option<(&S, bool)> {
    if slots.is_empty() {
        return None;
    }
    let first = (key % slots.len() as u64) as usize;
    let places = || {
        let (before, from) = slots.split_at(first);
        from.iter().chain(before).take(PROBES)
    };
    if let Some(known) = places().find(|slot| slot.key().load(Ordering::Acquire) == key) {
        return Some((known, false));
    }
    for slot in places() {
        match slot.key().compare_exchange(0, key, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some((slot, true)),
            Err(other) if other == key => return Some((slot, false)),
            Err(_) => {}
        }
    }
    None
}

/// A key of texts. The parts cannot run into each other. It is not 0.
pub fn key_of<'a>(seed: u64, parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut key = mixed(seed ^ 0x9e37_79b9_7f4a_7c15);
    for part in parts {
        for chunk in part.as_bytes().chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            key = mixed(key ^ u64::from_le_bytes(word));
        }
        key = mixed(key ^ part.len() as u64 ^ 0xff00_0000_0000_0000);
    }
    key.max(1)
}

/// A bijection in which every bit of the result depends on every bit of the value (the finalizer of MurmurHash3).
fn mixed(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^= value >> 33;
    value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ (value >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[derive(Default)]
    struct Counter {
        key: AtomicU64,
        count: AtomicU64,
    }

    impl Slot for Counter {
        fn key(&self) -> &AtomicU64 {
            &self.key
        }
    }

    #[test]
    fn threads_that_count_the_same_keys_find_the_same_slots() {
        let slots: Vec<Counter> = (0..512).map(|_| Counter::default()).collect();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let slots = &slots;
                scope.spawn(move || {
                    for i in 0..20_000 {
                        let key = key_of(0, [format!("{}", (i * 7 + thread) % 200).as_str()]);
                        let (slot, _) = claim(slots, key).unwrap();
                        slot.count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let taken: Vec<&Counter> = slots.iter().filter(|slot| slot.key.load(Ordering::Relaxed) != 0).collect();
        assert_eq!(taken.len(), 200);
        assert_eq!(taken.iter().map(|slot| slot.key.load(Ordering::Relaxed)).collect::<HashSet<_>>().len(), 200);
        assert_eq!(taken.iter().map(|slot| slot.count.load(Ordering::Relaxed)).sum::<u64>(), 80_000);
    }

    #[test]
    fn a_full_table_has_no_slot() {
        let slots: Vec<Counter> = (0..8).map(|_| Counter::default()).collect();
        for key in 1..=8 {
            assert!(claim(&slots, key).is_some_and(|(_, is_new)| is_new));
        }
        assert!(claim(&slots, 9).is_none());
        assert!(claim(&slots, 5).is_some_and(|(_, is_new)| !is_new));
        assert!(claim::<Counter>(&[], 5).is_none());
    }

    #[test]
    fn parts_of_a_key_do_not_run_into_each_other() {
        let keys = [
            key_of(0, ["ab", "c"]),
            key_of(0, ["a", "bc"]),
            key_of(0, ["abc"]),
            key_of(0, ["abc", ""]),
            key_of(1, ["abc"]),
            key_of(0, []),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    }
}
