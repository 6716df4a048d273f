//! What the caller may not do: IAM's simulation, before anything is made. It is advice; whoever cannot be asked about is
//! not kept from trying.

use std::time::Duration;

use trainyard_plan::aws::iam::{self, Question};
use trainyard_spec::Spec;
use trainyard_spec::facts::AwsFacts;

use super::refused::{Answer, Refused};
use super::{Account, api};

/// So long for all questions together: a network without a way to IAM must not hold everything up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Set to anything: IAM is not asked. For policies with conditions that a simulation cannot know.
const SKIP: &str = "TRAINYARD_SKIP_PERMISSIONS";

/// Who asks, as IAM's simulation wants to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Principal {
    /// The account's root user, who may do everything that the organization allows.
    Root,
    /// A user, or a role with its path.
    Known(String),
    /// A session of a role, whose path its ARN does not tell.
    Session {
        /// The role's ARN without its path.
        guess: String,
        /// The role's name.
        role: String,
    },
    /// A federated user, or something newer than this.
    Other,
}

impl Principal {
    fn of(arn: &str) -> Self {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, _, account, rest] = parts[..] else { return Self::Other };
        match (service, rest.split('/').collect::<Vec<_>>().as_slice()) {
            (_, ["root"]) => Self::Root,
            ("iam", ["user" | "role", _, ..]) => Self::Known(arn.to_owned()),
            ("sts", ["assumed-role", role, _]) => {
                Self::Session { guess: format!("arn:{partition}:iam::{account}:role/{role}"), role: (*role).to_owned() }
            }
            _ => Self::Other,
        }
    }
}

/// The actions that this cluster needs and the caller may not do; or why nobody can tell.
pub async fn denied(account: &Account, spec: &Spec, facts: &AwsFacts) -> Result<Vec<String>, String> {
    if std::env::var_os(SKIP).is_some_and(|set| !set.is_empty()) {
        return Err(format!("what the caller may do was not asked: {SKIP} is set"));
    }
    let questions = iam::questions(spec, facts);
    match tokio::time::timeout(PATIENCE, Box::pin(ask(account, &questions))).await {
        Ok(Ok(Some(denied))) => Ok(denied),
        Ok(Ok(None)) => Err("what the caller may do is not known: IAM simulates users and roles only".to_owned()),
        Ok(Err(refused)) => Err(why(&refused)),
        Err(_) => Err("what the caller may do is not known: IAM did not answer in time".to_owned()),
    }
}

fn why(refused: &Refused) -> String {
    if refused.is_denial() {
        return format!("what the caller may do is not known: it may not ask ({})", refused.operation);
    }
    format!("what the caller may do is not known: {}: {}", refused.operation, refused.message)
}

async fn ask(account: &Account, questions: &[Question]) -> Answer<Option<Vec<String>>> {
    let asked = account.sts.get_caller_identity().send().await;
    let arn = asked.map_err(|error| Refused::new("sts:GetCallerIdentity", &error))?.arn.unwrap_or_default();
    let principal = match Principal::of(&arn) {
        Principal::Root => return Ok(Some(Vec::new())),
        Principal::Other => return Ok(None),
        Principal::Known(arn) => arn,
        Principal::Session { guess, role } => match api::role_arn(account, &role).await {
            Ok(arn) => arn.unwrap_or(guess),
            // Most roles have no path.
            Err(refused) if refused.is_denial() => guess,
            Err(refused) => return Err(refused),
        },
    };
    let mut denied = Vec::new();
    // Four at once: IAM throttles early.
    for few in questions.chunks(4) {
        let one = async |number: usize| match few.get(number) {
            Some(question) => {
                let decisions = api::simulate(account, &principal, question).await?;
                Ok::<_, Refused>(iam::denied(question, &decisions))
            }
            None => Ok(Vec::new()),
        };
        let (first, second, third, fourth) = tokio::try_join!(one(0), one(1), one(2), one(3))?;
        denied.extend([first, second, third, fourth].concat());
    }
    denied.sort();
    Ok(Some(denied))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_caller_is_known() {
        let known = |arn: &str| Principal::Known(arn.to_owned());
        let session = |guess: &str, role: &str| Principal::Session { guess: guess.to_owned(), role: role.to_owned() };
        let cases = [
            ("arn:aws:iam::123456789012:root", Principal::Root),
            ("arn:aws:iam::123456789012:user/team/ada", known("arn:aws:iam::123456789012:user/team/ada")),
            ("arn:aws:iam::123456789012:role/ci", known("arn:aws:iam::123456789012:role/ci")),
            (
                "arn:aws-us-gov:sts::123456789012:assumed-role/admin/ada@example.com",
                session("arn:aws-us-gov:iam::123456789012:role/admin", "admin"),
            ),
            ("arn:aws:sts::123456789012:federated-user/ada", Principal::Other),
            ("arn:aws:sts::123456789012:assumed-role/only", Principal::Other),
            ("", Principal::Other),
            ("nonsense", Principal::Other),
        ];
        for (arn, principal) in cases {
            assert_eq!(Principal::of(arn), principal, "{arn}");
        }
    }
}
