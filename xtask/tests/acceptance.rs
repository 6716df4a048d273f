//! What an acceptance run makes of a record, and what its report says. The run itself is tested against the emulator, in
//! testing/aws/lives/test_acceptance.py.

use std::time::Duration;

use xtask::acceptance::report::{Done, Left, Report};
use xtask::acceptance::shapes::{differences, is_cut, merge, parse, read, text};
use xtask::acceptance::steps::{Kept, steps};

const STACKS: &str = r#"{"service":"cloudformation","operation":"DescribeStacks","status":200,"fields":{"A.B":["text"]},"values":["StackStatus=CREATE_COMPLETE"]}"#;
const REFUSED: &str =
    r#"{"service":"cloudformation","operation":"DescribeStacks","status":400,"code":"ValidationError"}"#;
const WHO: &str = r#"{"service":"sts","operation":"GetCallerIdentity","trouble":"timeout"}"#;

fn record(lines: &[&str]) -> String {
    lines.join("\n")
}

#[test]
fn the_same_record_differs_in_nothing() {
    let seen = read(&record(&[STACKS, REFUSED, WHO, "{\"full\":\"…\"}"])).expect("a record");
    let expected = merge(None, &seen);
    assert_eq!(differences(&expected, &seen), Vec::<String>::new());
    assert_eq!(parse(&text(&expected)).expect("a file"), expected);
}

#[test]
fn every_difference_is_told() {
    let expected = merge(None, &read(&record(&[STACKS, WHO])).expect("a record"));
    let changed = STACKS.replace("A.B", "A.C").replace("CREATE_COMPLETE", "ROLLBACK_COMPLETE");
    let keys = r#"{"service":"ec2","operation":"DescribeKeyPairs","status":200,"fields":{},"values":[]}"#;
    let seen = read(&record(&[&changed, REFUSED, keys])).expect("a record");
    let name = "cloudformation:DescribeStacks";
    let wanted = [
        "ec2:DescribeKeyPairs: asked only here".to_owned(),
        "sts:GetCallerIdentity: asked only of the emulator".to_owned(),
        format!("{name}: new answer 400 ValidationError"),
        format!("{name}: new field A.C: text"),
        format!("{name}: new value StackStatus=ROLLBACK_COMPLETE"),
        format!("{name}: missing field A.B: text"),
        format!("{name}: missing value StackStatus=CREATE_COMPLETE"),
    ];
    assert_eq!(differences(&expected, &seen), wanted);
}

#[test]
fn what_came_only_now_and_then_is_not_missing() {
    let both = read(&record(&[STACKS, REFUSED, WHO])).expect("a record");
    let one = read(&record(&[STACKS])).expect("a record");
    for (first, second) in [(&both, &one), (&one, &both)] {
        let expected = merge(Some(merge(None, first)), second);
        assert_eq!(differences(&expected, &one), Vec::<String>::new());
        assert_eq!(differences(&expected, &both), Vec::<String>::new());
    }
}

#[test]
fn a_list_that_is_empty_for_a_moment_is_no_difference() {
    let line = |fields: &str| STACKS.replace(r#"{"A.B":["text"]}"#, fields);
    let known = merge(None, &read(&line(r#"{"A.B":["text"],"C[].D":["text"],"E":["text"]}"#)).expect("a record"));
    let told = |fields: &str| differences(&known, &read(&line(fields)).expect("a record"));
    assert_eq!(
        told(r#"{"A.B":["text"],"C[].D":["text"],"E":["text"],"A":["empty"],"C":["empty"]}"#),
        Vec::<String>::new()
    );
    let changed = told(r#"{"A.B":["text"],"C[].D":["text"],"E":["text","empty"]}"#);
    assert_eq!(changed, ["cloudformation:DescribeStacks: new field E: empty"]);
}

#[test]
fn a_record_that_was_full_is_told_from_a_whole_one() {
    let full = r#"{"full":"the record ends here, at 16 MiB"}"#;
    assert!(is_cut(&record(&[STACKS, full])));
    assert!(!is_cut(&record(&[STACKS, WHO])) && !is_cut(""));
}

#[test]
fn what_is_no_record_is_refused() {
    assert!(read("{\n").is_err_and(|error| error.starts_with("line 1: ")));
    for text in ["", "{}", r#"{"operations": {"a": 1}}"#, r#"{"operations": {"a": {"called": "x"}}}"#] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_report_tells_the_failure_what_is_left_and_no_account_number() {
    let failure = Some(("exit code 3".to_owned(), "error: arn:aws:iam::123456789012:user/x\n".to_owned()));
    let good = Done {
        about: "the plan",
        command: "trainyard plan".into(),
        code: Some(0),
        time: Duration::from_secs(1),
        failure: None,
    };
    let bad =
        Done { about: "up", command: "trainyard up".into(), code: Some(3), time: Duration::from_secs(9), failure };
    let left = Left::Kept(vec![Kept { name: "home".into(), what: "a volume".into(), monthly_cents: Some(80) }]);
    let mut report = Report {
        name: "acceptance",
        region: "us-east-1",
        version: "trainyard 0.1.0",
        planned: 2,
        done: &[good, bad],
        left: &left,
        delete: "trainyard down x",
        differences: Ok(vec!["a: new b".to_owned()]),
    };
    let text = report.text();
    assert!(!report.is_good() && !text.contains("123456789012"), "{text}");
    for part in ["| up | `trainyard up` | 3 | 9.0 s | exit code 3 |", "arn:aws:iam::************:user/x", "- a: new b"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(text.contains("- home: a volume, $0.80 a month") && text.contains("    trainyard down x"), "{text}");
    for (left, said) in [(Left::Unknown, "it could not be asked"), (Left::NothingMade, "This run made nothing")] {
        let text = Report { left: &left, done: &[], differences: Ok(Vec::new()), ..report }.text();
        assert!(text.contains(said) && text.contains("    trainyard down x"), "{text}");
    }
    report.done = &report.done[..1];
    assert!(!report.is_good(), "one step of two is no whole life");
}

#[test]
fn nothing_is_made_before_it_is_known_that_nothing_is_there() {
    let steps = steps("x.yaml", "x", "us-east-1", std::path::Path::new("/plan"));
    let first = steps.iter().position(|step| step.makes).expect("a step that makes something");
    assert_eq!(steps[first].arguments[0], "up");
    assert!(steps[..first].iter().any(|step| step.arguments.contains(&"--diff".to_owned())));
    assert!(steps[first..].iter().all(|step| step.makes), "from there on there is a way out");
}
