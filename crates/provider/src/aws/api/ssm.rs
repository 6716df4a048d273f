//! Systems Manager: a script on an instance, and what it said.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Body, Protocol, Service};
use crate::aws::Account;
use crate::aws::refused::{Answer, Refused};

static SSM: Service = Service { name: "ssm", protocol: Protocol::Json("AmazonSSM") };

/// Runs a shell script as root on an instance, for at most `seconds`; returns the first 24,000 characters that it said,
/// however it ended.
pub async fn run_on(account: &Account, instance: &str, script: &str, seconds: u64) -> Answer<String> {
    let body = json!({
        "DocumentName": "AWS-RunShellScript",
        "InstanceIds": [instance],
        "TimeoutSeconds": seconds.max(30),
        "Parameters": { "commands": [script], "executionTimeout": [seconds.to_string()] },
    });
    let sent = ask(account, "SendCommand", body).await?;
    let Some(command) = sent["Command"]["CommandId"].as_str().map(str::to_owned) else {
        return Err(Refused::unreadable("ssm:SendCommand", "no command id"));
    };
    let body = json!({ "CommandId": command, "InstanceId": instance });
    let give_up = tokio::time::Instant::now() + Duration::from_secs(seconds + 10);
    let mut pause = Duration::from_millis(100);
    loop {
        let text = |answer: &Value, key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        match ask(account, "GetCommandInvocation", body.clone()).await {
            // A command is known a moment after it was sent.
            Err(refused) if refused.is(&["InvocationDoesNotExist"]) => {}
            Err(refused) => return Err(refused),
            Ok(answer) => {
                let status = text(&answer, "Status");
                if !matches!(status.as_str(), "Pending" | "InProgress" | "Delayed" | "Cancelling") {
                    return Ok(text(&answer, "StandardOutputContent"));
                }
            }
        }
        if tokio::time::Instant::now() >= give_up {
            return Ok(String::new());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

async fn ask(account: &Account, operation: &'static str, body: Value) -> Answer<Value> {
    let text = account.call(&SSM, operation, Body::Json(body)).await?;
    serde_json::from_str(&text).map_err(|error| Refused::unreadable(operation, error.to_string()))
}
