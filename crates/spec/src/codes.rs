//! The codes that are not rules: what YAML and the shape check find, and what the plan finds in the facts.

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
        code: "reservation-kind",
        summary: "The capacity kind is the reservation's",
        explain: "A Capacity Block and an On-Demand reservation have ids alike, and are used in different ways. EC2 says which one it is; the spec says how it is to be used, and the two must agree.",
    },
    Code {
        code: "reservation-group",
        summary: "The placement group is the reservation's",
        explain: "Instances of a reservation that was made in a placement group start only in that group, and those of one that was made without start in none. EC2 shows the group with the reservation.",
    },
    Code {
        code: "reservation-size",
        summary: "A reservation holds all that is asked of it",
        explain: "All queues that name one reservation draw on it together. More nodes than it holds would never start.",
    },
    Code {
        code: "reservation-zone",
        summary: "The nodes stand in the reservation's zone",
        explain: "A reservation's instances stand in one zone, and no subnet of another one reaches them.",
    },
    Code {
        code: "reservation-type",
        summary: "The instance type is the reservation's",
        explain: "A reservation holds instances of one type.",
    },
    Code {
        code: "not-there",
        summary: "What the spec names is in the account",
        explain: "Networks, reservations, images, file systems, secrets, buckets and scripts that a spec names by id are looked for in the account and region before anything is made. What is not there, or may not be seen by the caller, would fail half-way.",
    },
    Code {
        code: "not-fit",
        summary: "What the spec names is as the spec needs it",
        explain: "A subnet in another zone, a volume in another zone, an image for another processor, a reservation that has ended: each would let the cluster fail after its first stacks stand.",
    },
    Code {
        code: "quota",
        summary: "The account's quotas hold what the spec can use",
        explain: "AWS limits how many vCPUs of a family may run at once, On-Demand and Spot apart, by account and region. `max` nodes of all queues, the head and the login nodes are held against the quota itself; what runs in the account besides is not counted. Capacity Blocks are outside these quotas.",
    },
    Code {
        code: "key-kind",
        summary: "The key pair is one that the system takes",
        explain: "Ubuntu 22.04 and 24.04 do not accept RSA keys of the kind that EC2 makes, and ParallelCluster refuses them. `up` makes an ed25519 key pair where the name is free.",
    },
    Code {
        code: "not-allowed",
        summary: "The caller may do what `up` does",
        explain: "IAM's simulator was asked about the actions that raising this cluster takes. Service control policies and boundaries are part of its answer only where it can see them.",
    },
    Code {
        code: "facts-zone",
        summary: "Facts and spec name the same zone",
        explain: "A facts file says which zone the nodes stand in. Where the spec says another one, one of them is of another cluster, or out of date; and a zone has the form `us-east-1a` or `use1-az4`.",
    },
    Code {
        code: "facts-output",
        summary: "Outputs in a facts file are values",
        explain: "An output is what a stack gave out: one line, not empty, without `${`. Anything else was not copied whole.",
    },
    Code {
        code: "head-timeout",
        summary: "The head has time for the nodes that it waits for",
        explain: "A head waits for the nodes of a Capacity Block that has started; they cannot start at 0 as other static nodes can. CloudFormation's limit leaves 3000 s for both.",
    },
    Code {
        code: "rehearsal-too-large",
        summary: "A rehearsal fits on this machine",
        explain: "Every node of a rehearsal is a set of real processes. `--max-nodes` caps each queue; static nodes are kept first.",
    },
    Code {
        code: "internal",
        summary: "trainyard understands what its own schema allows",
        explain: "The schema let something through that the program could not read: a defect of trainyard. Please report it.",
    },
];
