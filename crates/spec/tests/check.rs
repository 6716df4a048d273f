//! `check(text) → diagnostics`: every test is a text and what is said about it.

use std::fmt::Write as _;

use proptest::prelude::*;
use trainyard_spec::{Diagnostic, Severity, check, schema};

const SMALLEST: &str = "version: 1
name: demo
provider: local
queues:
  - { name: cpu, compute: [{ name: node, max: 4 }] }
";

fn lines(found: &[Diagnostic]) -> Vec<String> {
    let place = |d: &Diagnostic| d.place.map_or((0, 0), |p| (p.line, p.column));
    found.iter().map(|d| format!("{}:{} {} {}", place(d).0, place(d).1, d.code, d.path)).collect()
}

#[test]
fn five_lines_are_a_cluster() {
    let (spec, found) = check(SMALLEST);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(spec.expect("accepted").queues[0].compute[0].max, 4);
}

/// Twelve different mistakes, in file order, each at its line and column, also after non-ASCII text.
#[test]
fn twelve_mistakes_are_twelve_diagnostics() {
    let text = r#"version: 2          # 1: only version 1 exists
name: träin          # 2: not a name
provider: loca       # 3: not a provider
regoin: us-east-1    # 4: an unknown key
storage:
  shared: { kind: lustre, size_gib: 3600 } # 5: FSx has no such size (D-A51)
access:
  cidrs: ["ünï", 0.0.0.0/0]   # 6: not a range of addresses; 7: the whole world (D-A45)
head: { root_volume_gib: "500" } # 8: text for a number
monitoring:
  interval_seconds:  # 9: no value
queues:
  - name: größe      # 10: not a name
    compute:
      - { name: nöde, max: 2 }   # 11: not a name
  - name: gpu
    compute:
      - { name: node, min: 1 }   # 12: `max` is missing
"#;
    let (spec, found) = check(text);
    assert!(spec.is_none());
    assert_eq!(
        lines(&found),
        [
            "1:10 out-of-range version",
            "2:7 bad-format name",
            "3:11 not-one-of provider",
            "4:1 unknown-key regoin",
            "6:37 lustre-size storage.shared.size_gib",
            "8:11 bad-format access.cidrs[0]",
            "8:18 world-open access.cidrs[1]",
            "9:26 wrong-type head.root_volume_gib",
            "11:3 empty-value monitoring.interval_seconds",
            "13:11 bad-format queues[0].name",
            "15:17 bad-format queues[0].compute[0].name",
            "18:11 missing-key queues[1].compute[0].max",
        ]
    );
}

#[test]
fn every_mistake_of_a_whole_document_is_reported_together_with_rule_findings() {
    let text = SMALLEST.replace("max: 4", "min: 9, max: 4, maxx: 1") + "tags: { \"aws:x\": y }\nacces: {}\n";
    let (_, found) = check(&text);
    assert_eq!(
        lines(&found),
        [
            "5:47 min-above-max queues[0].compute[0].min",
            "5:58 unknown-key queues[0].compute[0].maxx",
            "6:9 tag-reserved tags.aws:x",
            "7:1 unknown-key acces",
        ]
    );
}

#[test]
fn a_fix_is_an_edit_that_mends_the_text() {
    for (broken, mended) in [
        ("provider: loca", "provider: local"),
        ("provider: local\nnetwrok: {}", "provider: local\nnetwork: {}"),
        ("provider: local\nhead: { root_volume_gib: \"500\" }", "provider: local\nhead: { root_volume_gib: 500 }"),
        ("provider: local\nhead: { dcv: yes }", "provider: local\nhead: { dcv: true }"),
        ("provider: local\nstorage: { shared: none }", "provider: local\nstorage: { shared: { kind: none } }"),
        ("provider: local\ntags: { größe: 1.5 }", "provider: local\ntags: { größe: \"1.5\" }"),
    ] {
        let text = SMALLEST.replace("provider: local", broken);
        let (_, found) = check(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        let edit = &found[0].fix.as_ref().expect("a fix").edits[0];
        let after = format!("{}{}{}", &text[..edit.start], edit.text, &text[edit.end..]);
        assert_eq!(after, SMALLEST.replace("provider: local", mended));
        assert!(check(&after).0.is_some());
    }
}

#[test]
fn hostile_documents_are_refused_with_a_reason() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for letter in b'b'..=b'j' {
        let (this, last) = (char::from(letter), char::from(letter - 1));
        let nine = vec![format!("*{last}"); 9].join(",");
        let _ = writeln!(bomb, "{this}: &{this} [{nine}]");
    }
    let deep = "[".repeat(100);
    let deeper = "[".repeat(100_000);
    let large = "# ".repeat(1 << 20);
    let two = format!("{SMALLEST}---\n{SMALLEST}");
    for (text, code) in [
        (bomb.as_str(), "yaml-too-large"),
        (&deep, "yaml-too-deep"),
        (&deeper, "yaml-syntax"),
        (&large, "yaml-too-large"),
        ("", "yaml-empty"),
        ("# only a comment\n", "yaml-empty"),
        ("a: [", "yaml-syntax"),
        ("a: *b", "yaml-syntax"),
        ("\t- x: {", "yaml-syntax"),
        (&two, "yaml-documents"),
        ("just text", "wrong-type"),
        ("null", "empty-value"),
    ] {
        let (spec, found) = check(text);
        assert!(spec.is_none());
        assert!(found.iter().any(|d| d.code == code), "{code}: {:?}", lines(&found));
    }
}

#[test]
fn two_pairs_of_names_that_spell_one_node_are_refused() {
    let text = "{version: 1, name: x, provider: local, queues: [\n{name: a, compute: [{name: st-b, max: 1}]},\n{name: a-st, compute: [{name: b, max: 1}]}]}";
    assert_eq!(lines(&check(text).1), ["3:31 name-repeated queues[1].compute[0].name"]);
}

/// EC2 has families that the catalogue lacks: their names must not be "repaired" into others.
#[test]
fn a_type_is_replaced_only_where_its_family_is_known() {
    let with = |name: &str| check(&SMALLEST.replace("name: node", &format!("name: node, instance: {name}"))).1;
    let replacement = |name: &str| {
        let [found] = with(name).try_into().unwrap_or_else(|found| panic!("{name}: {found:?}"));
        assert_eq!(found.code, "instance-unknown", "{name}");
        let fix = found.fix.expect("a fix");
        (!fix.edits.is_empty(), fix.say)
    };
    assert_eq!(replacement("p5.48xlrge"), (true, "did you mean `p5.48xlarge`?".to_owned()));
    let (is_edit, text) = replacement("m9g.large");
    assert!(!is_edit && text.starts_with("did you mean `m"), "{text}");
    assert_eq!(with("p6e-gb200.36xlarge"), []);
}

/// One mistake is one diagnostic: a misspelt setting is not missing as well.
#[test]
fn a_misspelt_setting_is_not_also_missing() {
    let aws = SMALLEST
        .replace("provider: local", "provider: aws\nregoin: us-east-1")
        .replace("name: node", "name: node, instnce: x.large");
    assert_eq!(lines(&check(&aws).1), ["4:1 unknown-key regoin", "6:42 unknown-key queues[0].compute[0].instnce"]);
    let aws = SMALLEST.replace("provider: local", "provider: aws");
    assert_eq!(
        lines(&check(&aws).1),
        ["3:11 region-needed region", "5:36 instance-needed queues[0].compute[0].instance"]
    );
}

/// D-A11: no dead options. D-A01, D-A07: nothing is ever null.
#[test]
fn unknown_and_empty_settings_are_errors_with_the_nearest_name() {
    let (_, found) = check(&(SMALLEST.to_owned() + "montoring: { mode: none }\nhead:\n"));
    assert_eq!(lines(&found), ["6:1 unknown-key montoring", "7:1 empty-value head"]);
    assert!(found[0].fix.as_ref().expect("fix").say.contains("`monitoring`"));
}

/// D-A08: extra Slurm settings are a mapping, and what the plan owns cannot be set twice.
#[test]
fn slurm_settings_are_names_and_lines() {
    let with = |settings: &str| check(&format!("{SMALLEST}slurm: {{ settings: {settings} }}\n"));
    for good in ["{ MaxArraySize: \"5000\" }", "{ MaxArraySize: 5000 }", "{ PropagatePrioProcess: true, Boost: 1.5 }"] {
        assert!(with(good).0.is_some(), "{good}: {:?}", with(good).1);
    }
    for (settings, code) in [
        ("{ \"Max Array\": x }", "bad-format"),
        ("{ nodename: x }", "slurm-setting-owned"),
        ("{ MaxArraySize: \"1\\nNodeName=evil\" }", "bad-format"),
        ("{ MaxArraySize: [5000] }", "wrong-type"),
        ("MaxArraySize=5000", "wrong-type"),
    ] {
        let (_, found) = with(settings);
        assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), [code], "{settings}");
    }
}

#[test]
fn every_pattern_in_the_schema_compiles_and_fits_its_example() {
    fn walk(value: &serde_json::Value, seen: &mut usize) {
        if let Some(pattern) = value["pattern"].as_str() {
            let regex = regex_lite::Regex::new(pattern).expect(pattern);
            let example = value["examples"][0].as_str().unwrap_or_else(|| panic!("no example: {value}"));
            assert!(regex.is_match(example), "{pattern} does not fit {example}");
            *seen += 1;
        }
        match value {
            serde_json::Value::Object(map) => map.values().for_each(|v| walk(v, seen)),
            serde_json::Value::Array(list) => list.iter().for_each(|v| walk(v, seen)),
            _ => {}
        }
    }
    let mut seen = 0;
    walk(&schema(), &mut seen);
    assert!(seen > 20, "only {seen} patterns were found");
}

#[test]
fn rules_have_codes_of_their_own_and_a_story() {
    let mut codes: Vec<&str> = trainyard_spec::rules::RULES.iter().map(|rule| rule.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), trainyard_spec::rules::RULES.len());
    for rule in trainyard_spec::rules::RULES {
        assert!(rule.explain.len() > rule.summary.len(), "{} explains nothing", rule.code);
    }
}

proptest! {

    /// Every diagnostic has a story.
    #[test]
    fn every_code_is_explained(text in "([a-z]+: ?[\\[\\{\\-\"'&*|>#a-z0-9 ]{0,12}\n){0,20}") {
        for found in check(&text).1 {
            let is_rule = trainyard_spec::rules::RULES.iter().any(|rule| rule.code == found.code);
            prop_assert!(is_rule || trainyard_spec::codes::CODES.iter().any(|code| code.code == found.code), "{}", found.code);
        }
    }

    /// Whatever the text, there is an answer, and every place lies inside the text.
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}|([a-z]+: ?[\\[\\{\\-\"'&*|>#a-z0-9 ]{0,12}\n){0,20}") {
        let (spec, found) = check(&text);
        let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
        prop_assert_eq!(spec.is_none(), errors > 0);
        for place in found.iter().filter_map(|d| d.place) {
            prop_assert!(place.end <= text.len() && place.start <= place.end);
            prop_assert!(text.is_char_boundary(place.start) && text.is_char_boundary(place.end));
        }
    }

    /// One damaged byte anywhere in a good spec is either harmless or reported, never a panic.
    #[test]
    fn a_damaged_spec_gets_an_answer(at in 0..SMALLEST.len(), byte in "[ -~\n\tÀ]") {
        let text = format!("{}{}{}", &SMALLEST[..at], byte, &SMALLEST[at + 1..]);
        let (spec, found) = check(&text);
        prop_assert!(spec.is_some() || !found.is_empty());
    }
}
