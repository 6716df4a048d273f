//! Systems Manager: a script on an instance, and what it said.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Body, Protocol, Service};
use crate::aws::Account;
use crate::aws::refused::{Answer, Refused};

static SSM: Service = Service { name: "ssm", protocol: Protocol::Json("AmazonSSM") };
/// Seconds within which an agent that is connected takes a command; the least that Systems Manager allows.
pub const DELIVERY_SECONDS: u64 = 30;
/// Between two looks at a command.
const PAUSE: Duration = Duration::from_millis(30);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A command that is not shown for so long after it was sent will not be.
const UNSEEN: Duration = Duration::from_mins(2);

/// A command that was sent.
pub struct Sent {
    /// Its id.
    pub id: String,
    instance: String,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// `Success`, `Failed`, `TimedOut`, `Cancelled`, …
    pub status: String,
    /// The same in more words: `Execution Timed Out`, `Undeliverable`, …
    pub details: String,
    /// The script's own exit code; -1 where it never ran.
    pub code: i64,
    /// The first 24,000 characters of its standard output.
    pub out: String,
    /// The first 8,000 characters of its standard error.
    pub err: String,
}

/// Sends a shell script that runs as root on an instance, for at most `seconds`.
pub async fn send(account: &Account, instance: &str, script: &str, seconds: u64) -> Answer<Sent> {
    let body = json!({
        "DocumentName": "AWS-RunShellScript",
        "InstanceIds": [instance],
        "TimeoutSeconds": DELIVERY_SECONDS,
        "Parameters": { "commands": [script], "executionTimeout": [seconds.to_string()] },
    });
    let sent = ask(account, "SendCommand", body).await?;
    match sent["Command"]["CommandId"].as_str() {
        Some(id) => Ok(Sent { id: id.to_owned(), instance: instance.to_owned() }),
        None => Err(Refused::unreadable("ssm:SendCommand", "no command id")),
    }
}

/// Waits until a command has ended; `None` where it has not by then, `InvocationDoesNotExist` where it never shows.
pub async fn end_of(account: &Account, sent: &Sent, give_up: Instant) -> Answer<Option<Ended>> {
    let body = json!({ "CommandId": sent.id, "InstanceId": sent.instance });
    let mut pause = PAUSE;
    let mut unseen = Some(Instant::now() + UNSEEN);
    loop {
        match ask(account, "GetCommandInvocation", body.clone()).await {
            // A command is known a moment after it was sent.
            Err(refused)
                if refused.is(&["InvocationDoesNotExist"]) && unseen.is_none_or(|until| Instant::now() < until) => {}
            Err(refused) => return Err(refused),
            Ok(answer) => {
                unseen = None;
                let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
                let status = text("Status");
                if !matches!(status.as_str(), "Pending" | "InProgress" | "Delayed" | "Cancelling") {
                    return Ok(Some(Ended {
                        status,
                        details: text("StatusDetails"),
                        code: answer["ResponseCode"].as_i64().unwrap_or(-1),
                        out: text("StandardOutputContent"),
                        err: text("StandardErrorContent"),
                    }));
                }
            }
        }
        if Instant::now() >= give_up {
            return Ok(None);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Ends a command that was sent: the agent kills its process group.
pub async fn cancel(account: &Account, sent: &Sent) -> Answer<()> {
    ask(account, "CancelCommand", json!({ "CommandId": sent.id, "InstanceIds": [sent.instance] })).await?;
    Ok(())
}

/// Runs a shell script as root on an instance, for at most `seconds`; returns the first 24,000 characters that it said,
/// however it ended.
pub async fn run_on(account: &Account, instance: &str, script: &str, seconds: u64) -> Answer<String> {
    let sent = send(account, instance, script, seconds).await?;
    let give_up = Instant::now() + Duration::from_secs(seconds + 10);
    Ok(end_of(account, &sent, give_up).await?.map(|ended| ended.out).unwrap_or_default())
}

async fn ask(account: &Account, operation: &'static str, body: Value) -> Answer<Value> {
    let text = account.call(&SSM, operation, Body::Json(body)).await?;
    serde_json::from_str(&text).map_err(|error| Refused::unreadable(operation, error.to_string()))
}
