//! Problems of a spec, with carets under the text.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use trainyard_spec::{Diagnostic, Severity};

use super::Ui;

/// Nobody reads more at once, and drawing them all takes long.
const SHOWN_MAX: usize = 100;

impl Ui {
    /// Shows every diagnostic that was asked for: on stderr for people, on stdout as JSON lines for programs.
    pub fn diagnostics(&self, file: &str, text: &str, found: &[Diagnostic]) {
        if !self.is_json() {
            return self.remarks(file, text, found);
        }
        for diagnostic in found {
            self.data(&line(file, diagnostic));
        }
    }

    /// Shows diagnostics that come with other data: always on stderr, since stdout is that data's.
    pub fn remarks(&self, file: &str, text: &str, found: &[Diagnostic]) {
        if self.is_json() {
            for diagnostic in found {
                self.say(&line(file, diagnostic));
            }
            return;
        }
        for diagnostic in found.iter().take(SHOWN_MAX) {
            self.say(&render(file, text, diagnostic));
            self.say("");
        }
        if found.len() > SHOWN_MAX {
            self.say(&format!("… and {} more; mend these first\n", found.len() - SHOWN_MAX));
        }
    }
}

/// One diagnostic as a line of JSON.
fn line(file: &str, diagnostic: &Diagnostic) -> String {
    serde_json::json!({"event": "diagnostic", "file": file, "diagnostic": diagnostic}).to_string()
}

/// One diagnostic as annotated text.
fn render(file: &str, text: &str, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut main = Group::with_title(level.primary_title(diagnostic.what.as_str()).id(diagnostic.code));
    let mut groups = Vec::new();
    if let Some(place) = diagnostic.place {
        // An empty span (end of a line, say) still wants a caret.
        let end = if place.end > place.start { place.end } else { (place.start + 1).min(text.len().max(1)) };
        let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let label = diagnostic.why.clone().unwrap_or_default();
        let annotation = AnnotationKind::Primary.span(place.start..end.max(place.start));
        let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
        main = main.element(Snippet::source(text).path(file).line_start(1).annotation(annotation));
    }
    if let Some(fix) = &diagnostic.fix {
        if fix.edits.is_empty() {
            main = main.element(Level::HELP.message(fix.say.as_str()));
        } else {
            let patches = fix.edits.iter().map(|edit| Patch::new(edit.start..edit.end, edit.text.as_str()));
            groups.push(
                Group::with_title(Level::HELP.secondary_title(fix.say.as_str()))
                    .element(Snippet::source(text).path(file).line_start(1).patches(patches)),
            );
        }
    }
    groups.insert(0, main);
    Renderer::styled().render(&groups)
}
