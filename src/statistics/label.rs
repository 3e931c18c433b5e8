//! Texts in shared memory.

use std::sync::atomic::{AtomicU64, Ordering};

/// A text of at most eight bytes per word. A longer one is cut.
#[derive(Debug)]
#[repr(transparent)]
pub struct Label<const WORDS: usize>([AtomicU64; WORDS]);

impl<const WORDS: usize> Default for Label<WORDS> {
    fn default() -> Self {
        Label([const { AtomicU64::new(0) }; WORDS])
    }
}

impl<const WORDS: usize> Label<WORDS> {
    /// Writes a text without NUL.
    pub fn set(&self, text: &str) {
        let end = text.floor_char_boundary(WORDS * 8);
        let bytes = text.as_bytes().get(..end).unwrap_or_default();
        let mut chunks = bytes.chunks(8);
        for word in &self.0 {
            let mut value = [0; 8];
            for (to, from) in value.iter_mut().zip(chunks.next().unwrap_or_default()) {
                *to = *from;
            }
            word.store(u64::from_le_bytes(value), Ordering::Relaxed);
        }
    }

    /// The text.
    pub fn get(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_and_a_long_one_is_cut_between_characters() {
        let label = Label::<2>([const { AtomicU64::new(7) }; 2]);
        for (text, back) in [
            ("", ""),
            ("orders", "orders"),
            ("sixteen letters!", "sixteen letters!"),
            ("fifteen lettersé", "fifteen letters"),
        ] {
            label.set(text);
            assert_eq!(label.get(), back);
        }
    }
}
