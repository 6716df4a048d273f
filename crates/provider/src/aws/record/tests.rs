//! Nothing of an account gets into a record, wherever in an answer it stands.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answer, line};

fn recorded(status: u16, text: &str) -> String {
    let answer = Answer { status, text: Some(text.into()) };
    line("ec2", "DescribeInstances", 7, Some(&answer), None)
}

/// What accounts have: numbers, ARNs, ids, names, addresses, keys, tokens.
fn canary() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{12}",
        "arn:aws:iam::[0-9]{12}:role/[a-z]{4,12}",
        "(i|vpc|subnet|vol|fs|sg|cr)-0[0-9a-f]{16}",
        "[a-z]{3,9}-[a-z0-9]{3,12}",
        "ip-10-[0-9]{2}-[0-9]{2}-[0-9]{2}\\.ec2\\.internal",
        "10\\.[0-9]{2,3}\\.[0-9]{2,3}\\.[0-9]{2,3}",
        "AKIA[A-Z0-9]{16}",
        "[A-Za-z0-9/+]{40}",
        "[A-Z][a-z]{3,8}[A-Z][a-z]{8,12}",
        "[a-z]{12,20}",
    ]
}

/// JSON whose every key and text may be a canary, and whose other keys are fields that invite to tell more.
fn document(canary: &str) -> impl Strategy<Value = Value> + use<> {
    let fields = ["Status", "Item", "tags", "StackName", "M", "ResourceType", "state", "Tags"];
    let names = fields.iter().map(|name| (*name).to_owned()).chain([canary.to_owned(), canary.to_owned()]);
    let key = prop::sample::select(names.collect::<Vec<String>>());
    let typed = format!("AWS::EC2::{canary}");
    let leaf = prop_oneof![Just(json!(canary)), Just(json!(typed)), Just(json!(1)), Just(json!("RUNNING"))];
    leaf.prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 1..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same as XML, where a name that XML does not allow is a text.
fn xml(value: &Value) -> String {
    let parts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(|item| format!("<member>{}</member>", xml(item))).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| element(name, &xml(value))).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    };
    parts.concat()
}

fn element(name: &str, inner: &str) -> String {
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && !name.contains([':', '/', '+']);
    let (tag, text) = if is_name { (name, "") } else { ("key", name) };
    format!("<{tag} note=\"{name}\">{text}{inner}</{tag}>")
}

proptest! {
    #[test]
    fn canaries_never_appear((canary, document) in canary().prop_flat_map(|canary| (Just(canary.clone()), document(&canary)))) {
        let texts = [
            document.to_string(),
            json!({"Status": document, "Item": document}).to_string(),
            format!("<DescribeStacksResponse>{}</DescribeStacksResponse>", xml(&document)),
            format!("<Stacks><{0}/></Stacks>", canary.replace([':', '/', '+', '.'], "")),
            format!("<Error><Code>{canary}</Code><Message>{canary}</Message></Error>"),
            json!({"__type": canary, "message": canary}).to_string(),
            json!({"__type": format!("com.amazonaws#{canary}")}).to_string(),
            canary.clone(),
        ];
        for (status, text) in texts.iter().flat_map(|text| [(200, text), (400, text), (503, text)]) {
            let line = recorded(status, text);
            prop_assert!(!line.contains(&canary), "{line}");
            prop_assert!(serde_json::from_str::<Value>(&line).is_ok());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        prop_assert!(serde_json::from_str::<Value>(&recorded(200, &text)).is_ok());
    }
}

#[test]
fn errors_have_a_code_and_no_message() {
    let said = |status, text| serde_json::from_str::<Value>(&recorded(status, text)).expect("JSON");
    let error = said(
        403,
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message></Error></Errors></Response>",
    );
    assert_eq!(error["code"], "UnauthorizedOperation");
    assert_eq!(error["status"], 403);
    assert_eq!(error["fields"], Value::Null);
    assert_eq!(said(400, r#"{"__type": "com.amazonaws#ValidationException"}"#)["code"], "ValidationException");
    assert_eq!(said(400, r#"{"__type": "AliceException"}"#)["code"], "another code");
    assert_eq!(said(404, "")["code"], "no code");
    let none: Value = serde_json::from_str(&line("s3", "HeadBucket", 1, None, Some("timeout"))).expect("JSON");
    assert_eq!(none, json!({"service": "s3", "operation": "HeadBucket", "milliseconds": 1, "trouble": "timeout"}));
}
