//! IAM: what the caller may do.

use trainyard_plan::aws::iam::{Decision, Question};

use super::xml::{self, Element};
use super::{Body, Protocol, Service, form};
use crate::aws::Account;
use crate::aws::refused::Answer;

static IAM: Service = Service { name: "iam", protocol: Protocol::Query("2010-05-08") };
/// Pairs in an answer; the most that IAM gives at once.
const PAGE: &str = "1000";
/// A cluster's largest question has some thousand pairs.
const PAGES_MAX: usize = 20;

/// A role's ARN: with its path, which the ARN of a session does not tell.
pub async fn role_arn(account: &Account, name: &str) -> Answer<Option<String>> {
    let text = account.call(&IAM, "GetRole", form([("RoleName", name)])).await?;
    xml::read("iam:GetRole", &text, |root| {
        root.child("GetRoleResult").and_then(|result| result.child("Role")).and_then(|role| role.some("Arn"))
    })
}

/// What IAM would decide about this principal.
pub async fn simulate(account: &Account, principal: &str, question: &Question) -> Answer<Vec<Decision>> {
    let fields = fields(principal, question);
    let (mut all, mut marker) = (Vec::new(), None::<String>);
    for _ in 0..PAGES_MAX {
        let mut fields = fields.clone();
        fields.extend(marker.take().map(|marker| ("Marker".to_owned(), marker)));
        let text = account.call(&IAM, "SimulatePrincipalPolicy", Body::Form(fields)).await?;
        let (found, next) = xml::read("iam:SimulatePrincipalPolicy", &text, page)?;
        all.extend(found);
        marker = next;
        if marker.is_none() {
            break;
        }
    }
    Ok(all)
}

fn fields(principal: &str, question: &Question) -> Vec<(String, String)> {
    let mut fields =
        vec![("PolicySourceArn".to_owned(), principal.to_owned()), ("MaxItems".to_owned(), PAGE.to_owned())];
    for (number, action) in question.asked.keys().enumerate() {
        fields.push((format!("ActionNames.member.{}", number + 1), (*action).to_owned()));
    }
    for (number, resource) in question.resources().into_iter().enumerate() {
        fields.push((format!("ResourceArns.member.{}", number + 1), resource.to_owned()));
    }
    for (number, (key, value)) in question.context.iter().enumerate() {
        let entry = format!("ContextEntries.member.{}", number + 1);
        fields.push((format!("{entry}.ContextKeyName"), key.clone()));
        fields.push((format!("{entry}.ContextKeyType"), "string".to_owned()));
        fields.push((format!("{entry}.ContextKeyValues.member.1"), value.clone()));
    }
    fields
}

/// The decisions of a page, and where the next one begins.
fn page(root: Element<'_, '_>) -> (Vec<Decision>, Option<String>) {
    let Some(result) = root.child("SimulatePrincipalPolicyResult") else { return (Vec::new(), None) };
    let decisions = result.items("EvaluationResults").flat_map(decisions).collect();
    (decisions, result.some("Marker").filter(|_| result.text("IsTruncated") == "true"))
}

/// Those about one action. Where there are several resources each has one of its own; the one above them is the
/// strictest of theirs, and says nothing about any.
fn decisions(whole: Element<'_, '_>) -> Vec<Decision> {
    let each: Vec<_> = whole.items("ResourceSpecificResults").collect();
    if each.is_empty() {
        return vec![decision(whole, whole, "EvalDecision")];
    }
    each.into_iter().map(|one| decision(whole, one, "EvalResourceDecision")).collect()
}

fn decision(whole: Element<'_, '_>, one: Element<'_, '_>, key: &str) -> Decision {
    let forbids = |detail: &str, key: &str| {
        let detail = one.child(detail).or_else(|| whole.child(detail));
        detail.is_some_and(|detail| detail.text(key) == "false")
    };
    let said = one.text(key);
    let by = if forbids("OrganizationsDecisionDetail", "AllowedByOrganizations") {
        Some("by a policy of the organization")
    } else if said == "explicitDeny" {
        Some("denied by name")
    } else if forbids("PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary") {
        Some("by the permissions boundary")
    } else {
        None
    };
    let is_allowed = match said.as_str() {
        "allowed" => Some(true),
        // A condition on what the simulation was not told may decide otherwise when it counts.
        "implicitDeny" | "explicitDeny" if one.items("MissingContextValues").next().is_some() => None,
        "implicitDeny" | "explicitDeny" => Some(false),
        _ => None,
    };
    Decision { action: whole.text("EvalActionName"), resource: one.text("EvalResourceName"), is_allowed, by }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(inner: &str) -> String {
        format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"x\"><SimulatePrincipalPolicyResult><EvaluationResults><member>\
             <EvalActionName>s3:PutObject</EvalActionName><EvalResourceName>*</EvalResourceName>{inner}\
             </member></EvaluationResults><IsTruncated>true</IsTruncated><Marker>m1</Marker>\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        )
    }

    #[test]
    fn decisions_are_read_with_who_made_them() {
        let organization = "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>\
                            </OrganizationsDecisionDetail><EvalDecision>implicitDeny</EvalDecision>";
        let boundary = "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false\
                        </AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>\
                        <EvalDecision>implicitDeny</EvalDecision>";
        let missing = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>\
                       <EvalDecision>implicitDeny</EvalDecision>";
        let cases = [
            ("<EvalDecision>allowed</EvalDecision><MissingContextValues/>", Some(true), None),
            ("<EvalDecision>implicitDeny</EvalDecision><MissingContextValues/>", Some(false), None),
            ("<EvalDecision>explicitDeny</EvalDecision>", Some(false), Some("denied by name")),
            (organization, Some(false), Some("by a policy of the organization")),
            (boundary, Some(false), Some("by the permissions boundary")),
            (missing, None, None),
            ("<EvalDecision>perhaps</EvalDecision>", None, None),
        ];
        for (inner, is_allowed, by) in cases {
            let (found, marker) = xml::read("x", &answer(inner), page).expect("readable");
            assert_eq!(marker.as_deref(), Some("m1"));
            let one = &found[0];
            assert_eq!((one.action.as_str(), one.is_allowed, one.by), ("s3:PutObject", is_allowed, by), "{inner}");
        }
    }

    #[test]
    fn each_resource_has_a_decision_of_its_own() {
        let each = "<EvalDecision>explicitDeny</EvalDecision><ResourceSpecificResults>\
                    <member><EvalResourceName>arn:1</EvalResourceName>\
                    <EvalResourceDecision>allowed</EvalResourceDecision></member>\
                    <member><EvalResourceName>arn:2</EvalResourceName>\
                    <EvalResourceDecision>explicitDeny</EvalResourceDecision></member></ResourceSpecificResults>";
        let (found, _) = xml::read("x", &answer(each), page).expect("readable");
        let said: Vec<_> = found.iter().map(|one| (one.resource.as_str(), one.is_allowed)).collect();
        assert_eq!(said, [("arn:1", Some(true)), ("arn:2", Some(false))]);
    }

    #[test]
    fn other_answers_decide_nothing() {
        for text in ["<a/>", "<A><SimulatePrincipalPolicyResult/></A>"] {
            assert_eq!(xml::read("x", text, page).expect("readable"), (Vec::new(), None));
        }
        assert!(xml::read("x", "no xml", page).is_err());
    }
}
