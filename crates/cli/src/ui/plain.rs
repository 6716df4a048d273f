//! Text from outside on a terminal: what would move the cursor, colour or hide something is shown, not done.

/// The same text with control characters, and those that turn the direction of text, written out: `\u{1b}`. Tabs stay.
pub fn plain(text: &str) -> String {
    let is_loud =
        |c: char| c.is_control() && c != '\t' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::with_capacity(text.len()), |mut shown, letter| {
        if is_loud(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_says_cannot_steer_the_terminal() {
        for (text, shown) in [
            ("a\tb ä 漢", "a\tb ä 漢"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("one\rtwo\u{9b}2J", "one\\u{d}two\\u{9b}2J"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("", ""),
        ] {
            assert_eq!(plain(text), shown);
        }
    }
}
