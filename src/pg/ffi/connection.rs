//! The connection of the client.

use pgrx::pg_sys;
use std::cell::OnceCell;
use std::ffi::c_int;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

thread_local! {
    static ADDRESS: OnceCell<Option<IpAddr>> = const { OnceCell::new() };
}

/// The address at the other end; `None` for a Unix socket, and where there is no connection.
pub fn address() -> Option<IpAddr> {
    ADDRESS.with(|address| *address.get_or_init(peer))
}

fn peer() -> Option<IpAddr> {
    // SAFETY: the port of a backend stays until it ends, and its first member is the socket (libpq-be.h). The system writes at most as many bytes as there
    // are, and the family says what they are.
    unsafe {
        let port = pg_sys::MyProcPort.cast::<c_int>();
        if port.is_null() {
            return None;
        }
        let mut address: libc::sockaddr_storage = std::mem::zeroed();
        let mut size = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        if libc::getpeername(*port, (&raw mut address).cast(), &raw mut size) != 0 {
            return None;
        }
        match c_int::from(address.ss_family) {
            libc::AF_INET => {
                let address = (&raw const address).cast::<libc::sockaddr_in>();
                Some(IpAddr::V4(Ipv4Addr::from_bits(u32::from_be((*address).sin_addr.s_addr))))
            }
            libc::AF_INET6 => {
                let address = (&raw const address).cast::<libc::sockaddr_in6>();
                Some(IpAddr::V6(Ipv6Addr::from((*address).sin6_addr.s6_addr)))
            }
            _ => None,
        }
    }
}
