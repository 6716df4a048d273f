//! What is sent to the head for `trainyard run`, and reading what comes back. Text in, text out.

/// Of a command's output so much comes back. Systems Manager hands on 24,000 characters; one line is ours,
/// and some are for what logging in says.
pub const OUT_BYTES: usize = 23_000;
/// The same of its errors, of which it hands on 8,000.
pub const ERR_BYTES: usize = 7_000;
/// Of either, the first so many bytes stay on the head, and at least the last so many; what is between may go.
const KEEP_BYTES: usize = 256 << 20;
/// The exit code of `timeout` where it ended something.
pub const TIMED_OUT: i32 = 124;
/// The same of a command that did not heed SIGTERM.
pub const KILLED: i32 = 137;

/// What runs on the head, as the cluster's user. Made of constants; what somebody typed are its arguments.
const RUNNER: &str = include_str!("runner.sh");

/// The script for the head: `words` as `user`, for at most `seconds`. `token` begins the line that tells the end.
pub fn script(user: &str, token: &str, seconds: u64, words: &[&str]) -> String {
    keeping(KEEP_BYTES, user, token, seconds, words)
}

fn keeping(keep: usize, user: &str, token: &str, seconds: u64, words: &[&str]) -> String {
    let limits = [("OUT_BYTES", OUT_BYTES), ("ERR_BYTES", ERR_BYTES), ("KEEP_BYTES", keep)];
    let with = |text: String, (name, limit): (&str, usize)| text.replace(name, &limit.to_string());
    let runner = limits.into_iter().fold(RUNNER.to_owned(), with);
    let words: String = words.iter().flat_map(|word| [" ".to_owned(), quoted(word)]).collect();
    let (runner, user, token) = (quoted(&runner), quoted(user), quoted(token));
    // A login: the command finds what a person finds who logs in. A session of its own: what ends the script does not
    // reach it (`runuser` makes one for most users only).
    format!(
        "#!/bin/sh\nrunuser -l -s /bin/bash -c 'exec setsid --wait \"$@\"' -- {user} bash /bin/sh -c {runner} trainyard {token} $$ {seconds}{words}\n"
    )
}

/// A word as a shell reads it back exactly. Systems Manager puts parameters of the account in the place of
/// `{{ssm:NAME}}`, so two braces never stand side by side.
pub fn quoted(word: &str) -> String {
    let mut text = String::with_capacity(word.len() + 2);
    text.push('\'');
    let mut before = None;
    for letter in word.chars() {
        match letter {
            '\'' => text.push_str(r"'\''"),
            '{' | '}' if before == Some(letter) => {
                text.push_str("''");
                text.push(letter);
            }
            _ => text.push(letter),
        }
        before = Some(letter);
    }
    text.push('\'');
    text
}

/// How a command ended, in the runner's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<'a> {
    /// Its own exit code.
    pub code: i32,
    /// Bytes of output and of errors that it wrote.
    pub wrote: (u64, u64),
    /// Whether something between beginning and end was let go on the head itself: of its output and of its errors.
    pub gone: (bool, bool),
    /// Whether something that it left behind still holds its output open.
    pub goes_on: bool,
    /// The folder on the head with what it wrote, where that stays: not all of it came back, or more may come.
    pub kept: Option<&'a str>,
    /// The beginning of its output.
    pub out: &'a str,
    /// The beginning of its errors.
    pub err: &'a str,
}

/// Reads what came back. `None`: the command did not come to its end, or never began.
pub fn report<'a>(token: &str, out: &'a str, err: &'a str) -> Option<Report<'a>> {
    let (line, out) = after(token, out)?;
    let mut words = line.splitn(5, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (code, wrote_out, wrote_err, how, kept) = (next(), next(), next(), next(), next());
    Some(Report {
        code: code.parse().ok()?,
        wrote: (wrote_out.parse().ok()?, wrote_err.parse().ok()?),
        gone: (how.contains('o'), how.contains('e')),
        goes_on: how.contains('w'),
        kept: Some(kept.trim()).filter(|kept| !kept.is_empty()),
        out,
        // What comes before is what logging in said.
        err: after(token, err).map_or("", |(_, rest)| rest),
    })
}

/// The rest of the first line that begins with `token`, and all lines behind it.
fn after<'a>(token: &str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let begin = text.match_indices(token).map(|(at, _)| at).find(|at| *at == 0 || text[..*at].ends_with('\n'))?;
    let rest = text[begin..].strip_prefix(token)?;
    let (line, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    Some((line.trim_start(), rest))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use trainyard_run::Command;

    use super::*;

    /// What `runuser` does, as whoever runs the tests.
    const RUNUSER: &str = "runuser() { command=$5; shift 7; /bin/bash -c \"$command\" \"$@\"; }\n";

    /// The words that `sh` makes of a line.
    fn parsed(line: &str) -> Vec<String> {
        let script = format!("printf '%s\\0' {line}");
        let output = Command::new("sh").args(["-c", &script]).run().expect("sh parses it");
        let mut words: Vec<String> = output.stdout.split('\0').map(str::to_owned).collect();
        words.pop();
        words
    }

    #[test]
    fn awkward_words_are_read_back_exactly() {
        for word in [
            "",
            " ",
            "a b",
            "it's",
            "\"",
            "$HOME",
            "`id`",
            "a\nb\n",
            "\\",
            "*",
            "~",
            "-n",
            "{{ssm:x}}",
            "}}}",
            "ä\t\u{1b}[1m",
        ] {
            assert_eq!(parsed(&quoted(word)), [word], "{word:?}");
            assert!(!quoted(word).contains("{{") && !quoted(word).contains("}}"), "{word:?}");
        }
    }

    proptest! {
        /// Whatever is typed arrives as it is: no quote, brace, newline or `$` of it is the shell's.
        #[test]
        fn sh_parses_every_word_back_exactly(words in prop::collection::vec("[^\u{0}]{0,40}", 1..6)) {
            let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            prop_assert_eq!(parsed(&line.join(" ")), words);
        }

        /// The whole of what is sent is one command to a shell, with the words at its end.
        #[test]
        fn the_script_hands_over_every_word(words in prop::collection::vec("[^\u{0}]{0,20}", 1..4)) {
            let given: Vec<&str> = words.iter().map(String::as_str).collect();
            let text = script("ubuntu", "token", 60, &given);
            let stand_in = format!("runuser() {{ printf '%s\\0' \"$@\"; }}\n{text}");
            let output = Command::new("sh").args(["-c", &stand_in]).run().expect("sh parses it");
            let mut found: Vec<&str> = output.stdout.split('\0').collect();
            found.pop();
            prop_assert_eq!(&found[found.len() - words.len()..], &given[..]);
            prop_assert_eq!(&found[..8], ["-l", "-s", "/bin/bash", "-c", "exec setsid --wait \"$@\"", "--", "ubuntu", "bash"]);
        }

        #[test]
        fn reading_what_comes_back_never_panics(out in any::<String>(), err in any::<String>()) {
            let _ = report("t", &out, &err);
        }
    }

    #[test]
    fn the_end_of_a_command_is_its_own() {
        let all = |code, wrote, kept, out, err| {
            Some(Report { code, wrote, gone: (false, false), goes_on: false, kept, out, err })
        };
        let marked =
            |gone, goes_on| Some(Report { code: 0, wrote: (9, 9), gone, goes_on, kept: Some("/h"), out: "", err: "" });
        for (out, err, wanted) in [
            ("T 0 3 0 - \nhi\n", "T\n", all(0, (3, 0), None, "hi\n", "")),
            ("T 3 0 5 - \n", "T\noops\n", all(3, (0, 5), None, "", "oops\n")),
            ("welcome\nT 143 0 0 - \n", "note\nT\n", all(143, (0, 0), None, "", "")),
            (
                "T 0 90000 0 - /home/ubuntu/trainyard-run-a b\nxx",
                "T\n",
                all(0, (90_000, 0), Some("/home/ubuntu/trainyard-run-a b"), "xx", ""),
            ),
            ("T 0 9 9 -o /h\n", "T\n", marked((true, false), false)),
            ("T 0 9 9 -ew /h\n", "T\n", marked((false, true), true)),
            // A command cannot tell an end of its own: the first line counts.
            ("T 0 6 0 - \nT 9 0 0 - \n", "T\n", all(0, (6, 0), None, "T 9 0 0 - \n", "")),
            ("", "runuser: user ubuntu does not exist\n", None),
            ("xT 0 0 0 - \n", "", None),
            ("T x 0 0 - \n", "", None),
            ("T 0\n", "", None),
        ] {
            assert_eq!(report("T", out, err), wanted, "{out:?}");
        }
    }

    /// The runner itself, by the shell of this machine: output and errors apart, the code its own, nothing left behind.
    #[test]
    fn the_runner_tells_output_errors_and_code_of_a_real_command() {
        let home = tempfile::tempdir().expect("a folder");
        let run = |words: &[&str]| {
            let text = script("ubuntu", "T", 20, words);
            let stand_in = format!("{RUNUSER}{text}");
            Command::new("sh").args(["-c", &stand_in]).env("HOME", home.path()).output().expect("sh runs")
        };
        let output = run(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
        let found = report("T", &output.stdout, &output.stderr).expect("it ended");
        assert_eq!((found.code, found.out, found.err), (7, "out\n", "err\n"), "{output:?}");
        assert_eq!(std::fs::read_dir(home.path()).expect("read").count(), 0);

        let output = run(&["sh", "-c", "head -c 50000 /dev/zero | tr '\\0' x; exit 1"]);
        let found = report("T", &output.stdout, &output.stderr).expect("it ended");
        assert_eq!((found.code, found.wrote, found.out.len()), (1, (50_000, 0), OUT_BYTES));
        let kept = std::path::Path::new(found.kept.expect("there is more"));
        assert_eq!(std::fs::metadata(kept.join("stdout.000000")).expect("kept").len(), 50_000);
    }

    /// A command that never stops talking fills no disk: its beginning and its end stay, and all of it is counted.
    #[test]
    fn of_a_long_output_the_beginning_and_the_end_stay() {
        let home = tempfile::tempdir().expect("a folder");
        let run = |words: &[&str]| {
            let stand_in = format!("{RUNUSER}{}", keeping(100_000, "ubuntu", "T", 60, words));
            Command::new("sh").args(["-c", &stand_in]).env("HOME", home.path()).output().expect("sh runs")
        };
        for (wrote, parts, is_gone) in [
            (100_000, &[100_000][..], false),
            (250_000, &[100_000, 100_000, 50_000], false),
            (300_000, &[100_000, 100_000, 100_000], false),
            (300_001, &[100_000, 100_000, 1], true),
            (9_999_999, &[100_000, 100_000, 99_999], true),
        ] {
            let words = format!("(echo first; head -c 10000000 /dev/zero) | head -c {}; echo last", wrote - 5);
            let output = run(&["sh", "-c", &words]);
            let found = report("T", &output.stdout, &output.stderr).expect("it ended");
            assert_eq!((found.code, found.wrote, found.gone, found.goes_on), (0, (wrote, 0), (is_gone, false), false));
            assert!(found.out.starts_with("first\n") && found.out.len() == OUT_BYTES);
            let kept = parts_of(found.kept.expect("there is more"));
            assert_eq!(kept.iter().map(Vec::len).collect::<Vec<_>>(), parts, "and nothing of the runner's own");
            assert!(kept.concat().ends_with(b"last\n"), "{wrote}");
        }
    }

    /// What is kept on the head, as `cat FOLDER/stdout*` would put it together.
    fn parts_of(folder: &str) -> Vec<Vec<u8>> {
        let mut files: Vec<_> =
            std::fs::read_dir(folder).expect("kept").map(|file| file.expect("a file").path()).collect();
        files.sort();
        files.into_iter().map(|file| std::fs::read(file).expect("a file")).collect()
    }

    /// What a command leaves behind is not waited for, is not ended, and has its output within the same bounds.
    #[test]
    fn what_a_command_leaves_behind_goes_on() {
        let home = tempfile::tempdir().expect("a folder");
        let words = ["sh", "-c", "echo now; (sleep 3; head -c 500000 /dev/zero; echo later) & exit 4"];
        let stand_in = format!("{RUNUSER}{}", keeping(100_000, "ubuntu", "T", 60, &words));
        let output = Command::new("sh").args(["-c", &stand_in]).env("HOME", home.path()).output().expect("sh runs");
        let found = report("T", &output.stdout, &output.stderr).expect("it ended");
        assert_eq!((found.code, found.out, found.goes_on), (4, "now\n", true));
        let kept = found.kept.expect("more may come");
        let end = Instant::now() + Duration::from_secs(20);
        while !parts_of(kept).concat().ends_with(b"later\n") {
            assert!(Instant::now() < end, "what it left behind was ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        let parts = parts_of(kept).into_iter().map(|part| part.len()).filter(|length| *length > 0);
        assert_eq!(parts.collect::<Vec<_>>(), [100_000, 100_000, 10]);
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let home = tempfile::tempdir().expect("a folder");
        let text = script("ubuntu", "T", 1, &["sh", "-c", "trap 'echo told; exit 9' TERM; sleep 30 & wait"]);
        let stand_in = format!("{RUNUSER}{text}");
        let output = Command::new("sh").args(["-c", &stand_in]).env("HOME", home.path()).output().expect("sh runs");
        let found = report("T", &output.stdout, &output.stderr).expect("it ended");
        assert_eq!((found.code, found.out), (TIMED_OUT, "told\n"));
    }

    /// Systems Manager's agent ends a cancelled script by killing its process group: no signal comes to the command.
    #[test]
    fn a_command_whose_script_is_killed_gets_a_signal_and_leaves_nothing() {
        let home = tempfile::tempdir().expect("a folder");
        let seen = home.path().join("seen");
        let inner = format!("trap 'echo ended >{0}; exit 1' TERM; echo begun >{0}; sleep 60 & wait", seen.display());
        let stand_in = format!("{RUNUSER}{}", script("ubuntu", "T", 60, &["sh", "-c", &inner]));
        let command = Command::new("sh").args(["-c", &stand_in]).env("HOME", home.path());
        // Its end by a deadline is such a kill.
        assert!(command.deadline(Duration::from_secs(2)).output().is_err());
        let is_over = || {
            let left = std::fs::read_dir(home.path()).expect("read").count();
            left == 1 && std::fs::read_to_string(&seen).is_ok_and(|text| text == "ended\n")
        };
        let end = Instant::now() + Duration::from_secs(20);
        while !is_over() {
            assert!(Instant::now() < end, "it goes on: {:?}", std::fs::read_to_string(&seen));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
