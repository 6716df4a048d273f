//! Times, as a view says them.

use std::time::Duration;

/// `3:12`, `1:02:03`
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How long something took: `0.4 s`, `3:12 min`, `1:02:03 h`.
pub fn taken(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min", clock(time)),
        _ => format!("{} h", clock(time)),
    }
}

/// What is left, no more exact than it is known: `about 40 s left`, `about 9 min left`; empty where nothing is known.
pub fn left(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => String::new(),
        1..90 => format!("about {} s left", seconds.div_ceil(10) * 10),
        90..7200 => format!("about {} min left", seconds.div_ceil(60)),
        _ => format!("about {} h left", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_with_their_units() {
        let said = |seconds: u64| {
            let time = Duration::from_secs(seconds);
            (clock(time), left(time))
        };
        assert_eq!(said(0), ("0:00".to_owned(), String::new()));
        assert_eq!(said(31), ("0:31".to_owned(), "about 40 s left".to_owned()));
        assert_eq!(said(192), ("3:12".to_owned(), "about 4 min left".to_owned()));
        assert_eq!(said(7200), ("2:00:00".to_owned(), "about 2 h left".to_owned()));
        let texts = [0.44, 192.0, 3723.0, f64::NAN, -1.0, f64::INFINITY].map(taken);
        assert_eq!(texts, ["0.4 s", "3:12 min", "1:02:03 h", "0.0 s", "0.0 s", "0.0 s"]);
    }
}
