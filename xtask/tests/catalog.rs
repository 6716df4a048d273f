//! The catalogue of instance types, made the whole way: recorded answers and what was reviewed become rows.

use xtask::catalog::{Input, compose, gone};

/// Seven types of a real answer, with the keys that are read.
const ANSWERS: &str = include_str!("data/instance_types.json");

const REVIEWED: &str = include_str!("../../crates/spec/src/catalog/reviewed.tsv");

const TABLE: &str = include_str!("../../crates/spec/src/catalog/instances.tsv");

const HEADING: &str = "types\tcolumn\tvalue\tverified\tsource\n";

fn make(answers: &str, reviewed: &str) -> Result<String, String> {
    compose(&[Input { path: "answers.json", text: answers }], Input { path: "reviewed.tsv", text: reviewed })
}

#[test]
fn recorded_answers_become_the_rows_that_stand_in_the_catalogue() {
    let made = make(ANSWERS, REVIEWED).expect("made");
    let is_row = |line: &&str| !line.starts_with('#') && !line.starts_with("name\t");
    let names: Vec<&str> = made.lines().filter(is_row).filter_map(|row| row.split('\t').next()).collect();
    let expected = [
        "c5n.large",
        "g4dn.xlarge",
        "hpc7a.12xlarge",
        "p5.4xlarge",
        "p6-b300.48xlarge",
        "p6e-gb200.36xlarge",
        "trn2.48xlarge",
    ];
    assert_eq!(names, expected, "mac2.metal is not listed, and p6e-gb200 stands in no answer");
    for line in made.lines() {
        assert!(TABLE.lines().any(|there| there == line), "not in the catalogue: {line}");
    }
}

#[test]
fn the_form_and_the_order_of_the_answers_make_no_difference() {
    let answer: serde_json::Value = serde_json::from_str(ANSWERS).expect("JSON");
    let types = answer["InstanceTypes"].as_array().expect("a list");
    let backwards: Vec<_> = types.iter().rev().collect();
    let by_name: serde_json::Map<_, _> =
        types.iter().map(|t| (t["InstanceType"].as_str().expect("a name").to_owned(), t.clone())).collect();
    let pages: String = types.iter().map(|t| serde_json::json!({ "InstanceTypes": [t] }).to_string()).collect();
    let made = make(ANSWERS, REVIEWED);
    for text in [serde_json::json!(backwards).to_string(), serde_json::json!(by_name).to_string(), pages] {
        assert_eq!(make(&text, REVIEWED), made);
    }
    let twice = [Input { path: "a", text: ANSWERS }, Input { path: "b", text: ANSWERS }];
    assert_eq!(compose(&twice, Input { path: "reviewed.tsv", text: REVIEWED }), made);
}

/// A region's answer lacks types, and ways to buy them, that another's has.
#[test]
fn answers_of_several_regions_are_put_together() {
    let other = ANSWERS.replace(r#"["capacity-block", "on-demand", "spot"]"#, r#"["on-demand"]"#);
    assert_ne!(other, ANSWERS);
    let both = [Input { path: "a", text: &other }, Input { path: "b", text: ANSWERS }];
    let reviewed = Input { path: "reviewed.tsv", text: REVIEWED };
    assert_eq!(compose(&both, reviewed), make(ANSWERS, REVIEWED));
    assert_eq!(compose(&[both[1], both[0]], reviewed), make(ANSWERS, REVIEWED));
    let less = make(&ANSWERS.replace("g4dn.xlarge", "x9.xlarge"), REVIEWED).expect("made");
    assert_eq!(gone(&make(ANSWERS, REVIEWED).expect("made"), &less), ["g4dn.xlarge"]);
}

#[test]
fn answers_that_do_not_fit_are_errors_with_their_place() {
    let deep = "[".repeat(100_000);
    let one = |change: fn(&mut serde_json::Value)| {
        let mut answer: serde_json::Value = serde_json::from_str(ANSWERS).expect("JSON");
        change(&mut answer["InstanceTypes"][1]);
        answer.to_string()
    };
    let cases = [
        (String::new(), "answers.json: there is no instance type in it"),
        ("{\"InstanceTypes\": 7}".to_owned(), "answers.json: InstanceTypes is no list"),
        ("7".to_owned(), "answers.json: neither an answer of EC2 nor a list"),
        ("{\"InstanceTypes\": [".to_owned(), "answers.json: not JSON: "),
        (deep, "answers.json: not JSON: recursion limit"),
        ("[7]".to_owned(), "answers.json: [0]: InstanceType: there is no text"),
        ("{\"p5.4xlarge\": {}}".to_owned(), "answers.json: [\"p5.4xlarge\"]: InstanceType: there is no text"),
        (
            one(|t| t["VCpuInfo"]["DefaultCores"] = 7.into()),
            "answers.json: InstanceTypes[1]: p5.4xlarge: vcpus: sockets × cores × threads is 1 × 7 × 2, which is not 16",
        ),
        (
            one(|t| t["InstanceType"] = "c5n.large".into()),
            "answers.json: InstanceTypes[4]: c5n.large: another answer describes it differently",
        ),
    ];
    for (text, expected) in cases {
        let error = make(&text, REVIEWED).expect_err(expected);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn reviewed_rows_that_do_not_fit_are_errors_with_their_line() {
    let cases = [
        ("p5.*\tlisted\tyes\n", "reviewed.tsv:2: 3 fields, where 5 are needed"),
        ("p5.*\tlisted\tyes\tyes\t\n", "reviewed.tsv:2: a field is empty"),
        ("p5.*\tlisted\tmaybe\tyes\t-\n", "reviewed.tsv:2: `listed` is `maybe`"),
        ("p5.*\tlisted\tyes\tperhaps\t-\n", "reviewed.tsv:2: verified is `perhaps`"),
        ("p5.*\tcolour\tred\tyes\t-\n", "reviewed.tsv:2: `colour` cannot be reviewed"),
        ("p5.*\tname\tred\tyes\t-\n", "reviewed.tsv:2: `name` cannot be reviewed"),
        ("p5.*\tlisted\tyes\tyes\t-\n", "reviewed.tsv: p5.4xlarge: no row says `socket_cores` of its CPU"),
        ("p5.*\tlisted\tyes\tyes\t-\np5.*\tsocket_cores\t0\tyes\t-\n", "reviewed.tsv:3: no CPU has 0 cores"),
        ("p5.*\tlisted\tyes\tyes\t-\np5.*\tsockets\tx\tyes\t-\n", "reviewed.tsv:3: the value is no number"),
        (
            "p5.*\tlisted\tyes\tyes\t-\np5.*\tsocket_cores\t3\tyes\t-\n",
            "reviewed.tsv:3: p5.4xlarge: sockets: 8 cores cannot be spread evenly over 3 sockets",
        ),
        (
            "p5.*\tlisted\tyes\tyes\t-\np5.*\tsockets\t1\tyes\t-\np5.*\tgpus\tmany\tyes\t-\n",
            "reviewed.tsv:4: gpus: `many` is no number that fits",
        ),
        (
            "p5.*\tlisted\tyes\tyes\t-\np5.*\tsockets\t1\tyes\t-\np5.*\tvcpus\t3\tyes\t-\n",
            "reviewed.tsv: p5.4xlarge: vcpus: sockets × cores × threads is 1 × 8 × 2, which is not 3",
        ),
        (
            "x9.large\tlisted\tyes\tyes\t-\n",
            "reviewed.tsv: x9.large: no answer has it, and no row says its `architecture`",
        ),
    ];
    for (rows, expected) in cases {
        let error = make(ANSWERS, &format!("{HEADING}{rows}")).expect_err(expected);
        assert!(error.starts_with(expected), "{error}");
    }
    let error = make(ANSWERS, "types\tvalue\n").expect_err("an error");
    assert!(error.starts_with("reviewed.tsv:1: the first row must be types, column"), "{error}");
}

#[test]
fn the_last_row_that_matches_counts_and_the_rest_of_a_pattern_may_be_anything() {
    let rows = "p5.*\tlisted\tyes\tyes\t-\n*\tsocket_cores\t8\tno\t-\np*.4*\tnvlink_gb_s\t1\tno\t-\n\
                p5.4xlarge\tnvlink_gb_s\t2\tyes\t-\np5.48*\tnvlink_gb_s\t3\tyes\t-\n";
    let made = make(ANSWERS, &format!("{HEADING}{rows}")).expect("made");
    let row: Vec<&str> = made.lines().last().expect("a row").split('\t').collect();
    assert_eq!((row[0], row[11], row.last()), ("p5.4xlarge", "2", Some(&"-")));
    let made = make(ANSWERS, &format!("{HEADING}{rows}*\tlisted\tno\tyes\t-\n")).expect("made");
    assert_eq!(made.lines().count(), 1, "nothing is listed any more: {made}");
}
