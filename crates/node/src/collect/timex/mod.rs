//! How the kernel holds the clock to its reference. Clocks that drift apart break what compares times of nodes: tickets of
//! Kerberos, certificates, logs.

mod adjtimex_ffi;

use nix::libc;
use trainyard_plan::metrics::timex as m;

use super::{Collector, Kind, Lane, Problem, Scope};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "timex",
    about: "how the clock is held to its reference",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |_| Some(Box::new(Timex)),
};

/// Frequencies are parts per million, of which the kernel counts 65,536ths.
const FREQUENCY_UNIT: f64 = 65_536e6;

const MICROSECONDS: f64 = 1e6;

struct Timex;

impl Collector for Timex {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        // Containers refuse the call to whoever may not set the clock.
        let (state, timex) = adjtimex_ffi::read()
            .map_err(|error| Problem::new("the kernel does not tell of its clock").because(error))?;
        put(sheet, state, &timex);
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss, reason = "times of days at most, and frequencies of 2^31 units")]
fn put(sheet: &mut Sheet, state: libc::c_int, timex: &libc::timex) {
    // What follows the reference is in nanoseconds where the time daemon asked for them.
    let unit = if timex.status & libc::STA_NANO == 0 { MICROSECONDS } else { 1e9 };
    sheet.put(&m::node_timex_sync_status, &[], state != libc::TIME_ERROR);
    for (metric, value) in [
        (&m::node_timex_offset_seconds, timex.offset as f64 / unit),
        (&m::node_timex_frequency_adjustment_ratio, 1.0 + timex.freq as f64 / FREQUENCY_UNIT),
        (&m::node_timex_maxerror_seconds, timex.maxerror as f64 / MICROSECONDS),
        (&m::node_timex_estimated_error_seconds, timex.esterror as f64 / MICROSECONDS),
        (&m::node_timex_status, timex.status.into()),
        (&m::node_timex_loop_time_constant, timex.constant as f64),
        (&m::node_timex_tick_seconds, timex.tick as f64 / MICROSECONDS),
        (&m::node_timex_pps_frequency_hertz, timex.ppsfreq as f64 / FREQUENCY_UNIT),
        (&m::node_timex_pps_jitter_seconds, timex.jitter as f64 / unit),
        (&m::node_timex_pps_shift_seconds, timex.shift.into()),
        (&m::node_timex_pps_stability_hertz, timex.stabil as f64 / FREQUENCY_UNIT),
        (&m::node_timex_pps_jitter_total, timex.jitcnt as f64),
        (&m::node_timex_pps_calibration_total, timex.calcnt as f64),
        (&m::node_timex_pps_error_total, timex.errcnt as f64),
        (&m::node_timex_pps_stability_exceeded_total, timex.stbcnt as f64),
        (&m::node_timex_tai_offset_seconds, timex.tai.into()),
    ] {
        sheet.put(metric, &[], value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown where the kernel says this.
    fn shown(state: libc::c_int, change: impl Fn(&mut libc::timex)) -> String {
        let mut timex = adjtimex_ffi::blank();
        change(&mut timex);
        let mut sheet = Sheet::default();
        put(&mut sheet, state, &timex);
        sheet.into_page().text()
    }

    #[test]
    fn the_kernels_units_become_seconds() {
        let said = |timex: &mut libc::timex| {
            (timex.offset, timex.jitter, timex.freq) = (-1_500_000, 2_000_000, 65_536);
            (timex.maxerror, timex.esterror, timex.tick, timex.tai) = (16_000_000, 250, 10_000, 37);
        };
        let micro = shown(0, said);
        for (name, value) in [
            ("sync_status", "1"),
            ("offset_seconds", "-1.5"),
            ("frequency_adjustment_ratio", "1.000001"),
            ("maxerror_seconds", "16"),
            ("estimated_error_seconds", "0.00025"),
            ("status", "0"),
            ("tick_seconds", "0.01"),
            ("pps_jitter_seconds", "2"),
            ("tai_offset_seconds", "37"),
        ] {
            let line = format!("node_timex_{name} {value}");
            assert!(micro.lines().any(|found| found == line), "no {line} in {micro}");
        }
        let nano = shown(libc::TIME_ERROR, |timex| {
            said(timex);
            timex.status = libc::STA_NANO | libc::STA_UNSYNC;
        });
        for line in [
            "node_timex_sync_status 0",
            "node_timex_offset_seconds -0.0015",
            "node_timex_pps_jitter_seconds 0.002",
            "node_timex_maxerror_seconds 16",
            "node_timex_status 8256",
        ] {
            assert!(nano.lines().any(|found| found == line), "no {line} in {nano}");
        }
    }

    #[test]
    fn the_clock_of_this_machine_ticks_or_it_is_said_why_nobody_knows() {
        let mut sheet = Sheet::default();
        match Timex.collect(&mut sheet) {
            Ok(()) => {
                let text = sheet.into_page().text();
                let tick = text.lines().find_map(|line| line.strip_prefix("node_timex_tick_seconds ")).unwrap();
                let tick: f64 = tick.parse().unwrap();
                assert!((0.009..=0.011).contains(&tick), "{tick} s: the kernel lets nobody set another");
            }
            Err(problem) => assert!(problem.told().contains("not permitted"), "{}", problem.told()),
        }
    }
}
