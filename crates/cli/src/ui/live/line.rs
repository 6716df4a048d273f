//! A line of the live view: pieces with a tone, never wider than it may be, and free of what could steer a terminal.

use console::measure_text_width as width_of;

use crate::ui::plain;

/// Texts from outside are cut to this many characters before they are measured; no terminal shows more in a line.
const LETTERS_MAX: usize = 500;
/// Stands for what was left out.
const CUT: char = '…';

/// How a piece looks where there is colour. The words say the same without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As text is.
    Plain,
    /// Of less weight.
    Dim,
    /// Done, or there.
    Good,
    /// On the way, or failed and not needed.
    Warm,
    /// Failed.
    Bad,
}

/// A line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<(Tone, String)>);

impl Line {
    /// A line with its first piece.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self::default().with(tone, text)
    }

    /// With one more piece.
    #[must_use]
    pub fn with(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }

    /// The text alone.
    pub fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        width_of(&self.text())
    }

    /// At most so wide; what is left out is marked.
    #[must_use]
    pub fn fit(self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        // Letters are measured together with what is before them: some change how wide that is.
        let (mut fitting, mut so_far) = (Self::default(), String::new());
        for (tone, text) in self.0 {
            let mut piece = String::new();
            for letter in text.chars() {
                let before = so_far.len();
                so_far.push(letter);
                if width_of(&so_far) + 1 > width {
                    so_far.truncate(before);
                    so_far.push(CUT);
                    if width_of(&so_far) <= width {
                        piece.push(CUT);
                    }
                    return fitting.with(tone, piece);
                }
                piece.push(letter);
            }
            fitting = fitting.with(tone, piece);
        }
        fitting
    }

    /// As it is written to a terminal.
    pub fn styled(&self, colour: bool) -> String {
        let codes = |tone: &Tone| match tone {
            Tone::Plain => None,
            Tone::Dim => Some("2"),
            Tone::Good => Some("32"),
            Tone::Warm => Some("33"),
            Tone::Bad => Some("31"),
        };
        let piece = |(tone, text): &(Tone, String)| match codes(tone).filter(|_| colour && !text.is_empty()) {
            Some(code) => format!("\x1b[{code}m{text}\x1b[0m"),
            None => text.clone(),
        };
        self.0.iter().map(piece).collect()
    }
}

/// A text from outside, in one line, without what could steer the terminal.
pub fn tame(text: &str) -> String {
    plain(&text.chars().take(LETTERS_MAX).collect::<String>()).replace('\t', " ")
}

/// A text in exactly so many columns, cut or filled up.
pub fn column(text: &str, width: usize) -> String {
    let fitting = Line::new(Tone::Plain, text).fit(width).text();
    let missing = width.saturating_sub(width_of(&fitting));
    fitting + &" ".repeat(missing)
}
