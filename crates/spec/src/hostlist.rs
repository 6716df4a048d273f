//! Slurm's hostlists: `n[1-3,7],head` and back. Bounded; any text gets an answer.

/// The largest hostlist that is expanded.
pub const HOSTS_MAX: usize = 65_536;

/// Expands a hostlist. `None` when it is malformed or names more than [`HOSTS_MAX`] hosts.
pub fn expand(text: &str) -> Option<Vec<String>> {
    let mut hosts = Vec::new();
    for part in split_outside_brackets(text)? {
        let mut found = vec![String::new()];
        let mut rest = part;
        while let Some(open) = rest.find('[') {
            let close = open + rest[open..].find(']')?;
            let numbers = ranges(&rest[open + 1..close])?;
            if found.len().checked_mul(numbers.len())? > HOSTS_MAX {
                return None;
            }
            let head = &rest[..open];
            found = found.iter().flat_map(|p| numbers.iter().map(move |n| format!("{p}{head}{n}"))).collect();
            rest = &rest[close + 1..];
        }
        if rest.contains(']') || (rest.is_empty() && found.iter().any(String::is_empty)) {
            return None;
        }
        hosts.extend(found.into_iter().map(|host| host + rest));
        if hosts.len() > HOSTS_MAX {
            return None;
        }
    }
    Some(hosts)
}

fn split_outside_brackets(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if depth > 1 {
            return None;
        }
    }
    parts.push(&text[start..]);
    (depth == 0).then_some(parts)
}

fn ranges(text: &str) -> Option<Vec<String>> {
    let mut numbers = Vec::new();
    for range in text.split(',') {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let width = low.len();
        let (low, high): (usize, usize) = (digits(low)?, digits(high)?);
        if high < low || high - low >= HOSTS_MAX - numbers.len() {
            return None;
        }
        numbers.extend((low..=high).map(|number| format!("{number:0width$}")));
    }
    Some(numbers)
}

fn digits(text: &str) -> Option<usize> {
    (text.len() <= 9 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_expand_as_scontrol_expands_them() {
        for (text, hosts) in [
            ("n1", vec!["n1"]),
            ("n[1-3]", vec!["n1", "n2", "n3"]),
            ("q-st-a-[1,3],head", vec!["q-st-a-1", "q-st-a-3", "head"]),
            ("n[08-10]", vec!["n08", "n09", "n10"]),
            ("r[1-2]n[1-2]x", vec!["r1n1x", "r1n2x", "r2n1x", "r2n2x"]),
        ] {
            assert_eq!(expand(text).expect(text), hosts);
        }
        for bad in ["n[1-", "n]1", "n[[1]]", "n[3-1]", "n[a]", "", "a,,b", "n[1-99999999999]", "n[0-999999]", "n[]"] {
            assert_eq!(expand(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(text in "[a-z0-9\\[\\],-]{0,30}|\\PC{0,30}") {
            if let Some(hosts) = expand(&text) {
                prop_assert!(hosts.len() <= HOSTS_MAX);
            }
        }

        #[test]
        fn plain_ranges_have_all_their_hosts(low in 0_usize..5000, more in 0_usize..300) {
            let hosts = expand(&format!("n[{low}-{}]", low + more)).expect("a range");
            prop_assert_eq!(hosts.len(), more + 1);
            prop_assert_eq!(&hosts[0], &format!("n{low}"));
        }
    }
}
