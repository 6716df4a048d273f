//! The codes that are not rules: what YAML and the shape check find.

/// One code: its name, a sentence, and its story.
pub struct Code {
    /// The stable name.
    pub code: &'static str,
    /// One sentence: what is asked for.
    pub summary: &'static str,
    /// The long story.
    pub explain: &'static str,
}

/// Every code that is not a rule's.
pub static CODES: &[Code] = &[
    Code {
        code: "yaml-syntax",
        summary: "The file is YAML",
        explain: "The text cannot be read as YAML from this place on: often a bracket or a quote that is not closed, a tab \
                  in the indentation, or a colon without a blank behind it. Nothing after it was checked.",
    },
    Code {
        code: "yaml-empty",
        summary: "The file holds settings",
        explain: "There is nothing in the file but blanks and comments. `trainyard init` writes a spec to start from.",
    },
    Code {
        code: "yaml-documents",
        summary: "The file is one document",
        explain: "`---` begins a second document. A spec describes one cluster, so that a command cannot mean another one.",
    },
    Code {
        code: "yaml-too-deep",
        summary: "Settings are nested 64 levels at most",
        explain: "No setting lies that deep. The bound keeps a damaged or hostile file from exhausting this machine.",
    },
    Code {
        code: "yaml-too-large",
        summary: "The file is 1 MiB at most, and 100,000 values with aliases written out",
        explain: "Aliases can make ten lines stand for billions of values. The bound keeps such a file from exhausting this machine.",
    },
    Code {
        code: "duplicate-key",
        summary: "A setting is given once",
        explain: "Of two equal keys, YAML readers take the first or the last, and differ in which. Keep one of them.",
    },
    Code {
        code: "unknown-key",
        summary: "Every key is a setting that trainyard knows",
        explain: "A misspelt setting would silently have no effect. The nearest known name is suggested; the full list is in \
                  `trainyard schema`.",
    },
    Code {
        code: "missing-key",
        summary: "Settings without a default are given",
        explain: "Some settings have no default that would be right for anybody. Add the key; the diagnostic shows an example.",
    },
    Code {
        code: "empty-value",
        summary: "A key has a value",
        explain: "`key:` with nothing behind it reads like a choice, but is none. Remove the line to get the default.",
    },
    Code {
        code: "wrong-type",
        summary: "A value has the type of its setting",
        explain: "Text, whole numbers, true and false, lists and blocks are told apart. Text that looks like a number needs quotes.",
    },
    Code {
        code: "not-one-of",
        summary: "A choice is one of those offered",
        explain: "The setting takes one of a few words. The diagnostic lists them, and the nearest one.",
    },
    Code {
        code: "out-of-range",
        summary: "Numbers and lists keep their limits",
        explain: "Limits are those of AWS, ParallelCluster or Slurm, whichever is narrowest.",
    },
    Code {
        code: "bad-format",
        summary: "Names and ids have their form",
        explain: "Names and ids follow the patterns of the services that will read them. The diagnostic shows an example.",
    },
    Code {
        code: "internal",
        summary: "trainyard understands what its own schema allows",
        explain: "The schema let something through that the program could not read: a defect of trainyard. Please report it.",
    },
];
