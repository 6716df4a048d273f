//! A counter that somebody else keeps, and that may begin anew.

/// By how much a counter grew between two looks.
#[derive(Debug, Clone, Default)]
pub struct Growth {
    before: Option<u64>,
    now: Option<u64>,
}

impl Growth {
    /// Takes what the counter shows now.
    pub fn see(&mut self, value: Option<u64>) {
        self.now = value;
    }

    /// Since the last time that this was asked; `None` where the counter does not say. One that begins anew has grown by
    /// what it shows, and one that was never seen before by nothing that anybody saw.
    pub fn grown(&mut self) -> Option<u64> {
        let now = self.now?;
        let grown = match self.before {
            Some(before) if before <= now => now - before,
            Some(_) => now,
            None => 0,
        };
        self.before = Some(now);
        Some(grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_begins_anew_grows_by_what_it_shows() {
        let mut growth = Growth::default();
        for (value, grown) in [
            (None, None),
            (Some(7), Some(0)),
            (Some(9), Some(2)),
            (None, None),
            (Some(12), Some(3)),
            (Some(4), Some(4)),
        ] {
            growth.see(value);
            assert_eq!(growth.grown(), grown, "{value:?}");
        }
    }
}
