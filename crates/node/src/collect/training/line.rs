//! One line of a rank. Never panics on any text.

use serde_json::{Map, Value};

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
    fn of(map: &Map<String, Value>, name: &str) -> Self {
        match map.get(name) {
            Some(Value::Number(number)) => number.as_f64().map_or(Self::NotFinite, Self::Number),
            // What Python's words became.
            Some(Value::Null) => Self::NotFinite,
            Some(Value::String(text)) if is_not_finite(text) => Self::NotFinite,
            // A text or a list is a mistake of the script's, and says nothing of its loss.
            Some(_) | None => Self::Not,
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

/// The line with `null` for what is no finite number, outside of texts: Python's json writes words that are no JSON, and JSON
/// can write more than a float holds (1e999).
fn without_infinities(line: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(line.len()), line);
    let is_of_word = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => end_of_text(rest),
            _ if is_of_word(first) => rest.find(|character| !is_of_word(character)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        text.push_str(if is_not_finite(part) { "null" } else { part });
        rest = after;
    }
    text
}

/// Behind the text that begins here.
fn end_of_text(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |before| before + 2)
}

impl Line {
    /// `None` for what is no line of ours.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        if let Ok(read) = serde_json::from_slice(line) {
            return Some(Self::of(&read));
        }
        serde_json::from_str(&without_infinities(std::str::from_utf8(line).ok()?)).ok().as_ref().map(Self::of)
    }

    /// Each value for itself: one that makes no sense leaves the others as they are.
    fn of(map: &Map<String, Value>) -> Self {
        Self {
            step: map.get("step").and_then(whole),
            step_seconds: Given::of(map, "step_seconds"),
            compute_seconds: Given::of(map, "compute_seconds"),
            wait_seconds: Given::of(map, "wait_seconds"),
            loss: Given::of(map, "loss"),
            samples_per_second: Given::of(map, "samples_per_second"),
            tokens_per_second: Given::of(map, "tokens_per_second"),
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
            (r#"{"step":1,"x":"a\" 1e999 NaN","loss":NaN,"tokens_per_second":5}"#, Some(1), true),
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
        let deep = format!("{{\"step\":{}{}}}", "[".repeat(2000), "]".repeat(2000));
        let lines: [&[u8]; 6] = [b"", b"step 3", b"[1,2]", b"{\"loss\":1e}", b"\xff\xfe{NaN}", deep.as_bytes()];
        for line in lines {
            assert_eq!(Line::read(line), None, "{}", String::from_utf8_lossy(line));
        }
    }

    /// With a feature of serde_json's (`raw_value`) such a text is read within the reading, each time with a new limit of its
    /// own: 4 KiB of them overflowed the stack, and that ends the whole agent.
    #[test]
    fn a_text_in_a_text_is_not_read() {
        let mut line = String::from("1");
        for _ in 0..6 {
            line = format!("{{{}:{}}}", Value::from("$serde_json::private::RawValue"), Value::from(line));
        }
        let line = format!("{{\"step\":1,\"x\":{line}}}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert!(read["x"].is_object(), "{read}");
        assert_eq!(Line::read(line.as_bytes()).unwrap().step, Some(1));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(line in proptest::collection::vec(any::<u8>(), 0..200), text in "\\{\"loss\":.{0,20}") {
            let _ = Line::read(&line);
            let _ = Line::read(text.as_bytes());
        }
    }
}
