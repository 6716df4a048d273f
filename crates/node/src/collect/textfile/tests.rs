//! Files of hostile and of well-meaning programs, and what is shown of them.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::collect::{ScopeChoice, Setting};
use crate::exposition::{Format, read_line, write};
use crate::sheet::{Labels, Page};

/// What becomes of a folder with these files: its page, and what is said.
fn page(files: &[(&str, &[u8])], labels: &Labels) -> (Arc<Page>, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs_err::write(folder.path().join(name), text).unwrap();
    }
    let mut collector = Textfile { folder: folder.path().to_owned(), claims: Claims::default() };
    let mut sheet = Sheet::with_constant(labels);
    let said = collector.collect(&mut sheet).err().map(|problem| problem.told());
    (Arc::new(sheet.into_page()), said)
}

/// The lines of others' metrics in a format, and what is said.
fn shown(files: &[(&str, &[u8])], format: Format) -> (String, Option<String>) {
    let (page, said) = page(files, &Labels::default());
    let text = write(&[page], format);
    let is_theirs = |line: &&str| !line.contains("node_textfile_") && *line != "# EOF\n";
    (text.split_inclusive('\n').filter(is_theirs).collect(), said)
}

const BACKUP: &[u8] = b"# HELP backup_seconds_total Time of \\\\\\\\host \"x\"\\nand more.\n\
    # TYPE backup_seconds_total counter\n  backup_seconds_total { kind = \"full\", } 12.5\n\
    backup_seconds_total{kind=\"a \\\"b\\\" \\\\ \\n\",empty=\"\"} +Inf\n\n# a comment\n#\n# EOF\n\
    # TYPE backup_files gauge\nbackup_files 18446744073709551615\nplain -1e-3\n# HELP only_help is never shown\n\
    # TYPE latency histogram\nlatency_sum 3\nlatency_bucket{le=\"1\"} 2\nlatency_bucket{le=\"+Inf\"} 4\nlatency_count 4\n\
    # TYPE rate counter\nrate 7\n# TYPE pause summary\npause{quantile=\"0.5\"} NaN\npause_sum 1\npause_count 2\n";

#[test]
fn others_metrics_are_shown_in_both_formats_with_the_same_series() {
    let (classic, said) = shown(&[("backup.prom", BACKUP)], Format::Classic);
    assert_eq!(said, None);
    insta::assert_snapshot!(classic, @r#"
    # HELP backup_seconds_total Time of \\\\host "x"\nand more.
    # TYPE backup_seconds_total counter
    backup_seconds_total{kind="full"} 12.5
    backup_seconds_total{kind="a \"b\" \\ \n"} +Inf
    # TYPE backup_files gauge
    backup_files 18446744073709551615
    # TYPE plain untyped
    plain -0.001
    # TYPE latency histogram
    latency_bucket{le="1"} 2
    latency_bucket{le="+Inf"} 4
    latency_count 4
    latency_sum 3
    # TYPE rate counter
    rate 7
    # TYPE pause summary
    pause{quantile="0.5"} NaN
    pause_count 2
    pause_sum 1
    "#);
    let (open, _) = shown(&[("backup.prom", BACKUP)], Format::OpenMetrics);
    let series =
        |text: &str| -> Vec<String> { text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect() };
    assert_eq!(series(&classic), series(&open));
    for line in [
        "# HELP backup_seconds Time of \\\\\\\\host \\\"x\\\"\\nand more.",
        "# TYPE backup_seconds counter",
        "# TYPE plain unknown",
        "# TYPE latency_bucket unknown",
        "# TYPE latency_sum unknown",
        "# TYPE rate unknown",
        "# TYPE pause unknown",
    ] {
        assert!(open.lines().any(|found| found == line), "no {line} in {open}");
    }
    assert!(!open.contains("# TYPE latency histogram"), "{open}");
}

#[test]
fn a_file_is_shown_whole_or_left_out_with_the_reason() {
    for (text, reason) in [
        (&b"good 1\nbad\n"[..], "line 2 has no value"),
        (b"good 1\nbad x\n", "line 2 has a value that is no number"),
        (b"good 1\ngood 2\n", "line 2 has a series that is there already"),
        (b"good{a=\"1\",b=\"2\"} 1\ngood{b=\"2\",a=\"1\"} 2\n", "line 2 has a series that is there already"),
        (b"good{a=\"\"} 1\ngood 2\n", "line 2 has a series that is there already"),
        (b"good 1 1510950459000\n", "line 1 has a time"),
        (b"good 1 # {trace=\"x\"} 1\n", "line 1 has a time, or more"),
        (b"good 1\r\n", ""),
        (b"good 1\rgood\n", "line 1 has a value that is no number"),
        (b"good 12", "still being written"),
        (b"\xff 1\n", "no UTF-8"),
        (b"9lives 1\n", "line 1 begins with what is no name"),
        (b"b\xc3\xa4d 1\n", "line 1 begins with what is no name"),
        (b"{a=\"1\"} 1\n", "line 1 begins with what is no name"),
        (b"good{a=\"1} 1\n", "line 1 has a label that does not end"),
        (b"good{a=\"1\" b=\"2\"} 1\n", "line 1 has labels that do not end"),
        (b"good{a=1} 1\n", "line 1 has a label without a value"),
        (b"good{a=\"\\x\"} 1\n", "line 1 has a label with an escape"),
        (b"good{a=\"1\",a=\"2\"} 1\n", "line 1 has a label twice"),
        (b"good{a:b=\"1\"} 1\n", "line 1 has a label with a name"),
        (b"good{__name__=\"evil\"} 1\n", "line 1 has a label with a name"),
        (b"# TYPE good thermometer\ngood 1\n", "line 1 has no known type"),
        (b"good 1\n# TYPE good gauge\n", "line 2 gives a metric its type after"),
        (b"# TYPE good gauge\n# TYPE good gauge\n", "line 2 gives a metric a type that has one"),
        (b"# HELP good a\n# HELP good b\n", "line 2 describes a metric that was"),
        (b"# TYPE h histogram\nh 1\n", "line 2 is of a histogram"),
        (b"# TYPE h histogram\nh_bucket 1\n", "line 2 is a bucket without a limit"),
        (b"# TYPE s summary\ns 1\n", "line 2 is of a summary"),
        (b"node_load1 1\n", "node_load1 is a metric that the agent shows itself"),
        (b"trainyard_agent_build 1\n", "trainyard_agent_build is a metric that the agent shows itself"),
        (b"# TYPE c_total counter\nc_total 1\nc 2\n", "c belongs to two metrics"),
        (b"# TYPE h histogram\nh_sum 1\n# TYPE h_sum gauge\n", ""),
    ] {
        let (shown, said) =
            shown(&[("bad.prom", text), ("fine.prom", b"fine 1\n"), ("not_one", b"}{")], Format::Classic);
        if reason.is_empty() {
            // A line end of Windows is a line end; a metric without values is none.
            assert_eq!(said, None, "{text:?}");
            continue;
        }
        assert_eq!(shown, "# TYPE fine untyped\nfine 1\n", "{text:?}");
        let said = said.unwrap();
        assert!(said.contains("bad.prom is left out: ") && said.contains(reason), "{reason}: {said}");
    }
}

#[test]
fn programs_may_share_a_metric_and_not_a_series() {
    let one = b"# HELP last_success One.\n# TYPE last_success gauge\nlast_success{job=\"a\"} 1\n";
    let two = b"# TYPE last_success gauge\nlast_success{job=\"b\"} 2\n";
    let (text, said) = shown(&[("a.prom", one), ("b.prom", two)], Format::Classic);
    assert_eq!(said, None);
    assert_eq!(
        text,
        "# HELP last_success One.\n# TYPE last_success gauge\nlast_success{job=\"a\"} 1\nlast_success{job=\"b\"} 2\n"
    );
    for (other, reason) in [
        (&b"# TYPE last_success gauge\nlast_success{job=\"a\"} 2\n"[..], "a series that is in another file"),
        (b"# TYPE last_success counter\nlast_success{job=\"c\"} 2\n", "another type in another file"),
        (b"# TYPE last_success_total counter\nlast_success_total 2\n", "last_success belongs to two metrics"),
    ] {
        let (text, said) = shown(&[("a.prom", one), ("b.prom", other)], Format::Classic);
        assert!(text.ends_with("last_success{job=\"a\"} 1\n"), "{text}");
        assert!(said.as_ref().is_some_and(|said| said.contains(reason)), "{reason}: {said:?}");
    }
}

#[test]
fn each_file_says_when_it_was_written_and_the_folder_whether_all_are_shown() {
    let (page, _) = page(&[("good.prom", b"good 1\n"), ("bad.prom", b"bad\n")], &Labels::default());
    let text = page.text();
    assert!(text.contains("node_textfile_scrape_error 1\n"), "{text}");
    let line = text.lines().find(|line| line.starts_with("node_textfile_mtime_seconds")).unwrap();
    let (_, labels, seconds) = read_line(line).unwrap();
    assert!(labels["file"].ends_with("/good.prom") && seconds > 1.5e9, "{line}");
    assert_eq!(page.text().matches("mtime").count(), 1);
    let mut sheet = Sheet::default();
    let missing =
        Textfile { folder: "/nowhere/at/all".into(), claims: Claims::default() }.collect(&mut sheet).unwrap_err();
    assert!(missing.told().contains("cannot be read") && sheet.into_page().text().contains("scrape_error 1"));
}

#[test]
fn files_are_bounded_and_a_pipe_is_none() {
    let long = format!("a{{b=\"{}\"}} 1\n", "x".repeat(600));
    let labels = (0..40).map(|number| format!("l{number}=\"x\"")).collect::<Vec<_>>().join(",");
    let many = (0..=SERIES_MAX).map(|number| format!("a{{b=\"{number}\"}} 1\n")).collect::<Vec<_>>().concat();
    for (text, reason) in [
        (format!("a 1\n#{}\n", "x".repeat(1 << 20)), "more than 1 MiB"),
        (many, "more than 10000 series"),
        (long, "a label that is too long"),
        (format!("a{{{labels}}} 1\n"), "too many labels"),
        (format!("{} 1\n", "a".repeat(300)), "no name of a metric"),
    ] {
        let (shown, said) = shown(&[("a.prom", text.as_bytes())], Format::Classic);
        assert!(shown.is_empty() && said.as_ref().is_some_and(|said| said.contains(reason)), "{reason}: {said:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    for number in 0..FILES_MAX + 3 {
        fs_err::write(folder.path().join(format!("{number:03}.prom")), format!("metric_{number} 1\n")).unwrap();
    }
    let mut sheet = Sheet::default();
    let said = Textfile { folder: folder.path().to_owned(), claims: Claims::default() }
        .collect(&mut sheet)
        .unwrap_err()
        .told();
    assert!(said.starts_with("3 files are left out; the first: ") && said.contains("/256.prom"), "{said}");
    assert_eq!(sheet.into_page().foreign.len(), FILES_MAX);
    let folder = tempfile::tempdir().unwrap();
    nix::unistd::mkfifo(&folder.path().join("pipe.prom"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut collector = Textfile { folder: folder.path().to_owned(), claims: Claims::default() };
    assert!(collector.collect(&mut Sheet::default()).unwrap_err().told().contains("it is no file"));
}

/// A device does something when it is opened, and a file that only root may read is nobody's to show.
#[test]
fn a_link_in_the_folder_is_not_followed() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs_err::write(elsewhere.path().join("secret.prom"), "token{pw=\"hunter2\"} 1\n").unwrap();
    for (name, target) in [("a.prom", elsewhere.path().join("secret.prom")), ("b.prom", "/dev/ptmx".into())] {
        std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
    }
    let mut sheet = Sheet::default();
    let said = Textfile { folder: folder.path().to_owned(), claims: Claims::default() }
        .collect(&mut sheet)
        .unwrap_err()
        .told();
    assert!(said.starts_with("2 files are left out; the first: ") && said.contains("it is a link"), "{said}");
    assert!(sheet.into_page().foreign.is_empty());
}

#[test]
fn a_file_and_a_folder_with_too_much_are_left_out_and_that_is_said() {
    let lines =
        |begin: &str, end: &str| (0..10).fold(String::new(), |text, number| text + begin + &number.to_string() + end);
    let refused = "it has more than 9 series, in line 10 at the latest";
    for text in [lines("a", " 1\n"), lines("# HELP a", " x\n")] {
        assert_eq!(parse(&text, 9).unwrap_err(), refused);
        assert!(parse(&text, 10).is_ok());
    }
    let folder = tempfile::tempdir().unwrap();
    for number in 0..=ENTRIES_MAX {
        fs_err::write(folder.path().join(number.to_string()), "").unwrap();
    }
    let mut sheet = Sheet::default();
    let said = Textfile { folder: folder.path().to_owned(), claims: Claims::default() }
        .collect(&mut sheet)
        .unwrap_err()
        .told();
    assert!(said.contains("has more than 4096 entries"), "{said}");
    assert!(sheet.into_page().text().contains("node_textfile_scrape_error 1\n"));
}

#[test]
fn a_secret_that_is_linked_into_the_folder_is_not_quoted() {
    let (_, said) = shown(&[("link.prom", b"root:$6$secret:19000:0:99999:7:::\n")], Format::Classic);
    assert!(!said.unwrap().contains("secret"));
}

#[test]
fn labels_of_the_agents_own_are_on_others_metrics_too() {
    let host = Labels::new(&[("scope", "host")]);
    let file = b"a 1\na{scope=\"mine\"} 2\na{scope=\"x\",exported_scope=\"y\"} 3\n";
    let (page, _) = page(&[("a.prom", file)], &host);
    let text = write(&[page], Format::Classic);
    assert!(text.contains("\na{scope=\"host\"} 1\na{exported_scope=\"mine\",scope=\"host\"} 2\n"), "{text}");
    let file = b"b{scope=\"x\"} 1\nb{exported_scope=\"x\"} 2\n";
    let (twice, _) = self::page(&[("b.prom", file)], &host);
    let lines = write(&[Arc::clone(&twice)], Format::Classic);
    assert_eq!((lines.matches("\nb{").count(), twice.dropped), (1, 1), "{lines}");
    // Prometheus throws away the whole scrape of a target that has a label twice.
    let both = "\na{exported_exported_scope=\"x\",exported_scope=\"y\",scope=\"host\"} 3\n";
    assert!(text.contains(both), "{text}");
    let setting = |scope| Setting { scope, textfile: Some("/somewhere".into()), ..Setting::default() };
    assert_eq!(setting(ScopeChoice::Node).make(&COLLECTOR).unwrap().labels, Labels::default());
    assert_eq!(setting(ScopeChoice::Host).make(&COLLECTOR).unwrap().labels, host);
    assert!(Setting::default().make(&COLLECTOR).is_none(), "without a folder there is nothing to show");
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_shown_reads_back(text in "([a-z#{}=\"\\\\,. 0-9\n]|le|# TYPE |# HELP | histogram\n|_bucket|_sum){0,60}\n") {
        if let Ok(families) = parse(&text, SERIES_MAX) {
            let mut sheet = Sheet::default();
            let count: usize = families.iter().map(|family| family.samples.len()).sum();
            for family in families {
                sheet.put_foreign(family);
            }
            let page = sheet.into_page();
            let lines: Vec<&str> = page.foreign.iter().flat_map(|foreign| foreign.lines().map(|(_, line)| line)).collect();
            prop_assert_eq!(lines.len(), count);
            for line in lines {
                prop_assert!(read_line(line.trim_end_matches('\n')).is_some(), "{}", line);
            }
        }
    }
}
