//! The one call that no safe crate has for reading: what the kernel knows of the clock.
#![allow(unsafe_code, reason = "adjtimex is C; nothing else of this collector may")]

use std::io;
use std::mem::zeroed;

use nix::libc;

/// What the kernel says of the clock: whether it is held to a reference, and numbers.
pub(super) fn read() -> io::Result<(libc::c_int, libc::timex)> {
    let mut timex = blank();
    // SAFETY: the kernel writes into a structure of its own layout, which lives until the call is over.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    if state < 0 { Err(io::Error::last_os_error()) } else { Ok((state, timex)) }
}

/// One that asks for nothing to be changed.
pub(super) fn blank() -> libc::timex {
    // SAFETY: it has numbers only, for which zeros are values.
    unsafe { zeroed() }
}
