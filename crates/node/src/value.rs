//! A sample's value, and how it is written.

use std::fmt::Write as _;

/// A sample's value. Whole numbers keep all of their digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(u64),
    /// Any other.
    Float(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<i64> for Value {
    #[allow(clippy::cast_precision_loss, reason = "a sample is a float for whoever reads it")]
    fn from(value: i64) -> Self {
        u64::try_from(value).map_or(Self::Float(value as f64), Self::Whole)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

/// Writes it as both text formats have it.
pub(crate) fn put_value(text: &mut String, value: Value) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Whole(value) => {
            put_whole(text, value);
            Ok(())
        }
        Value::Float(value) if value.is_nan() => text.write_str("NaN"),
        Value::Float(value) if value.is_infinite() => text.write_str(if value > 0.0 { "+Inf" } else { "-Inf" }),
        // Beyond 2^53 digits say nothing, and 1e300 would have 301 of them.
        Value::Float(value) if value.abs() >= 1e17 => write!(text, "{value:e}"),
        Value::Float(value) => write!(text, "{value}"),
    };
}

/// Most samples are whole numbers: this takes a fifth of what formatting them in general does.
fn put_whole(text: &mut String, mut value: u64) {
    let mut digits = [0; 20];
    let mut begin = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        begin -= 1;
        if value == 0 {
            break;
        }
    }
    text.push_str(std::str::from_utf8(digits.get(begin..).unwrap_or_default()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_whole_number_keeps_its_digits(value in any::<u64>(), shift in 0..64_u32) {
            let mut text = String::new();
            put_value(&mut text, (value >> shift).into());
            prop_assert_eq!(text, (value >> shift).to_string());
        }

        #[test]
        fn any_float_reads_back(value in any::<f64>()) {
            let mut text = String::new();
            put_value(&mut text, value.into());
            let read: f64 = text.parse().unwrap();
            prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
            prop_assert!(text.len() < 400);
        }
    }
}
