//! One line of a rank. Never panics on any text.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// A line's values by name, each still as it is written: one that cannot be a number costs no other.
type Values<'a> = HashMap<String, &'a RawValue>;

/// What a rank told. Names that are not here are left to others.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) step: Option<u64>,
    pub(super) step_seconds: Given,
    pub(super) compute_seconds: Given,
    pub(super) wait_seconds: Given,
    pub(super) loss: Given,
    pub(super) samples_per_second: Given,
    pub(super) tokens_per_second: Given,
}

/// A year. What is longer is no step, and sums of it would run over.
const SECONDS_MAX: f64 = 3.2e7;

/// A value that may be missing, or no number.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) enum Given {
    #[default]
    Not,
    /// It is told, and is no finite number.
    NotFinite,
    Number(f64),
}

/// Above it not every whole number is a float's.
const WHOLE_FLOAT_MAX: f64 = 9.0e15;

/// Some count in floats.
fn whole(value: &Value) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and in range")]
    let whole = |float: f64| ((0.0..=WHOLE_FLOAT_MAX).contains(&float) && float.fract() == 0.0).then_some(float as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

/// As scripts write it who know that JSON has no such number.
fn is_not_finite(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|number| !number.is_finite())
}

impl Given {
    fn of(values: &Values<'_>, name: &str) -> Self {
        let Some(value) = values.get(name) else { return Self::Not };
        match serde_json::from_str(value.get()) {
            Ok(Value::Number(number)) => number.as_f64().map_or(Self::NotFinite, Self::Number),
            // What Python's words became.
            Ok(Value::Null) => Self::NotFinite,
            Ok(Value::String(text)) if is_not_finite(&text) => Self::NotFinite,
            // JSON's way to write more than a float holds: 1e999.
            Err(_) if is_not_finite(value.get()) => Self::NotFinite,
            // A text or a list is a mistake of the script's, and says nothing of its loss.
            Ok(_) | Err(_) => Self::Not,
        }
    }

    /// A time.
    pub(super) fn seconds(self) -> Option<f64> {
        match self {
            Self::Number(seconds) if (0.0..=SECONDS_MAX).contains(&seconds) => Some(seconds),
            _ => None,
        }
    }
}

impl Line {
    /// `None` for what is no line of ours.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        if let Ok(read) = serde_json::from_str(line) {
            return Some(Self::of(&read));
        }
        // Python's json writes these words, which are no JSON. No text of the line is used, so they are replaced anywhere.
        if !line.contains("NaN") && !line.contains("Infinity") {
            return None;
        }
        let text = line.replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null");
        serde_json::from_str(&text).ok().as_ref().map(Self::of)
    }

    /// Each value for itself: one that makes no sense leaves the others as they are.
    fn of(values: &Values<'_>) -> Self {
        let step = values.get("step").and_then(|value| serde_json::from_str(value.get()).ok());
        Self {
            step: step.as_ref().and_then(whole),
            step_seconds: Given::of(values, "step_seconds"),
            compute_seconds: Given::of(values, "compute_seconds"),
            wait_seconds: Given::of(values, "wait_seconds"),
            loss: Given::of(values, "loss"),
            samples_per_second: Given::of(values, "samples_per_second"),
            tokens_per_second: Given::of(values, "tokens_per_second"),
        }
    }

    /// Whether a value that was told is no finite number.
    pub(super) fn is_off(&self) -> bool {
        let values = [
            self.step_seconds,
            self.compute_seconds,
            self.wait_seconds,
            self.loss,
            self.samples_per_second,
            self.tokens_per_second,
        ];
        values.contains(&Given::NotFinite)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_a_json_object_of_which_known_names_are_read() {
        let line = Line::read(br#"{"step":120,"step_seconds":0.81,"loss":-2,"rank":3,"time":"now","x":{"y":[1]}}"#);
        let expected =
            Line { step: Some(120), step_seconds: Given::Number(0.81), loss: Given::Number(-2.0), ..Line::default() };
        assert_eq!(line, Some(expected));
        assert_eq!(Line::read(b"{}"), Some(Line::default()));
        let line =
            Line::read(br#"{"step": 1, "loss": NaN, "step_seconds": Infinity, "wait_seconds": -Infinity}"#).unwrap();
        assert_eq!((line.loss, line.step_seconds, line.step), (Given::NotFinite, Given::NotFinite, Some(1)));
        assert!(line.is_off() && Line::read(br#"{"loss":null}"#).unwrap().is_off());
        assert_eq!(Given::Number(-1.0).seconds(), None);
        assert_eq!(Given::Number(1e300).seconds(), None);
    }

    #[test]
    fn a_value_that_makes_no_sense_leaves_the_others() {
        let deep = format!("{{\"step\":{}{},\"tokens_per_second\":5}}", "[".repeat(2000), "]".repeat(2000));
        for (text, step, is_off) in [
            (r#"{"step":2.0,"tokens_per_second":5}"#, Some(2), false),
            (r#"{"step":-1,"tokens_per_second":5}"#, None, false),
            (r#"{"step":1e300,"tokens_per_second":5}"#, None, false),
            (r#"{"step":"3","tokens_per_second":5}"#, None, false),
            (r#"{"step":1,"step":4,"tokens_per_second":5}"#, Some(4), false),
            (r#"{"step":1,"loss":"NaN","tokens_per_second":5}"#, Some(1), true),
            (r#"{"step":1,"loss":"-inf","tokens_per_second":5}"#, Some(1), true),
            (r#"{"step":1,"loss":"0.5","tokens_per_second":5}"#, Some(1), false),
            (r#"{"step":1,"loss":[2],"tokens_per_second":5}"#, Some(1), false),
            (r#"{"step":1,"loss":1e999,"tokens_per_second":5}"#, Some(1), true),
            (r#"{"step":1,"loss": -1e999 ,"tokens_per_second":5}"#, Some(1), true),
            (r#"{"step":1e999,"loss":0,"tokens_per_second":5}"#, None, false),
            (&deep, None, false),
        ] {
            let line = Line::read(text.as_bytes()).unwrap();
            assert_eq!(
                (line.step, line.is_off(), line.tokens_per_second),
                (step, is_off, Given::Number(5.0)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        let lines: [&[u8]; 5] = [b"", b"step 3", b"[1,2]", b"{\"loss\":1e}", b"\xff\xfe{NaN}"];
        for line in lines {
            assert_eq!(Line::read(line), None, "{}", String::from_utf8_lossy(line));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(line in proptest::collection::vec(any::<u8>(), 0..200), text in "\\{\"loss\":.{0,20}") {
            let _ = Line::read(&line);
            let _ = Line::read(text.as_bytes());
        }
    }
}
