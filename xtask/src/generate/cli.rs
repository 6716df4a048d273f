//! `docs/cli.md`: the help of every command that the help shows, commands within commands included.

use super::{Ask, MARK, Reference, trimmed};

pub(super) static REFERENCE: Reference = Reference { path: "docs/cli.md", compose };

/// What the program is called.
const NAME: &str = "trainyard";

/// One command: its words after the program's name, its one line in the list, its help.
struct Command {
    words: Vec<String>,
    about: String,
    help: String,
}

fn compose(ask: Ask<'_>) -> Result<String, String> {
    let commands = collect(ask, &[], String::new())?;
    if commands.len() < 2 {
        return Err(format!("{NAME} --help: it lists no command"));
    }
    let mut parts =
        vec![format!("{MARK}\n\n# The command line\n\nWhat `{NAME} --help` and `{NAME} COMMAND --help` say.\n\n")];
    for command in commands.iter().filter(|command| !command.words.is_empty()) {
        let (indent, title) = ("  ".repeat(command.words.len() - 1), command.title());
        parts.push(format!("{indent}- [{title}](#{}): {}\n", title.replace(' ', "-"), command.about.trim()));
    }
    for command in &commands {
        parts.push(format!("\n## {}\n\n```text\n{}```\n", command.title(), trimmed(&command.help)));
    }
    Ok(parts.concat())
}

impl Command {
    fn title(&self) -> String {
        [NAME].into_iter().chain(self.words.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }
}

/// The command and, behind it, everything within it.
fn collect(ask: Ask<'_>, words: &[String], about: String) -> Result<Vec<Command>, String> {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = ask(&arguments)?;
    let within = listed(&help);
    let mut commands = vec![Command { words: words.to_vec(), about, help }];
    for (name, about) in within {
        commands.extend(collect(ask, &[words, &[name]].concat(), about)?);
    }
    Ok(commands)
}

/// The commands that a help lists, without `help` itself: `  name  about`, where a long `about` goes on below.
fn listed(help: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.trim().is_empty());
    for line in list {
        let is_continued = line.starts_with("   ");
        if let (true, Some((_, about))) = (is_continued, commands.last_mut()) {
            about.push(' ');
            about.push_str(line.trim());
        } else {
            let (name, about) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            commands.push((name.to_owned(), about.trim().to_owned()));
        }
    }
    commands.retain(|(name, _)| name != "help");
    commands
}
