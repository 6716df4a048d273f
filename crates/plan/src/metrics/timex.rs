//! How the kernel holds the clock to its reference, as a time daemon tells it.

metrics! { "timex" from "adjtimex" {
    gauge node_timex_sync_status: "1 if the clock is held to a reference.";
    gauge node_timex_offset_seconds: "What the clock still has to make up for.";
    gauge node_timex_frequency_adjustment_ratio: "How fast the clock is made to run: 1 is as it is by itself.";
    gauge node_timex_maxerror_seconds: "The most that the clock may be off.";
    gauge node_timex_estimated_error_seconds: "What the clock is off by, as the time daemon reckons.";
    gauge node_timex_status: "The kernel's bits of the clock's state.";
    gauge node_timex_loop_time_constant: "How slowly the clock is led to its reference.";
    gauge node_timex_tick_seconds: "Time from one tick of the clock to the next.";
    gauge node_timex_pps_frequency_hertz: "Frequency that a pulse per second shows.";
    gauge node_timex_pps_jitter_seconds: "How uneven the pulses per second are.";
    gauge node_timex_pps_shift_seconds: "Time over which pulses per second are compared.";
    gauge node_timex_pps_stability_hertz: "How much the frequency of the pulses per second changes.";
    counter node_timex_pps_jitter_total: "Pulses per second that were too uneven.";
    counter node_timex_pps_calibration_total: "Times pulses per second were compared.";
    counter node_timex_pps_error_total: "Comparisons of pulses per second that failed.";
    counter node_timex_pps_stability_exceeded_total: "Comparisons of pulses per second that differed too much.";
    gauge node_timex_tai_offset_seconds: "How far atomic time is ahead of the clock.";
} }
