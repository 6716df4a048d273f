//! Actions, and the resources on which they are asked for, as IAM policies. The same bytes for the same cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::tables::{Condition, Scope, on};
use crate::aws::cloudformation::Text;
use crate::aws::cloudformation::resources::iam::{PolicyDocument, Statement};
use crate::aws::{Context, names, region, stacks};

/// IAM takes a managed policy of this many characters, not counting blanks and line breaks.
const CHARACTERS_MAX: usize = 6144;
/// So many actions, of some 50 characters at most, fit into a statement that fits into a policy.
const ACTIONS_MAX: usize = 100;
/// `CloudFormation` cuts a stack's name in the names that it makes up for roles and functions (64 characters at most),
/// to 24 characters as far as is known. A shorter beginning fits in any case.
const BEGIN_CHARACTERS: usize = 20;

/// What stands for the placeholders of scope.tsv.
pub struct Names {
    known: Vec<(&'static str, String)>,
    /// Scripts in S3 that the spec names: a row with `<script>` stands for each.
    scripts: Vec<String>,
    /// Those that this cluster has not: rows with them do not count.
    absent: Vec<&'static str>,
    partition: &'static str,
    region: String,
    account: Option<String>,
}

impl Names {
    /// Those of a cluster.
    pub fn of(context: &Context<'_>) -> Self {
        let spec = context.spec;
        let cluster = spec.name.to_string();
        let begin = if cluster.len() > BEGIN_CHARACTERS {
            cluster.chars().take(BEGIN_CHARACTERS).collect()
        } else {
            format!("{cluster}-")
        };
        let region = region(spec).to_owned();
        let mut known = vec![
            ("<begin-lowercase>", begin.to_lowercase()),
            ("<begin>", begin),
            ("<cluster>", cluster),
            ("<files>", stacks::files_bucket_begin(spec)),
            ("<key>", names::key(spec)),
            ("<region>", region.clone()),
        ];
        let mut absent = Vec::new();
        let bucket = spec.storage.data_bucket.as_ref();
        let made = bucket.filter(|bucket| !bucket.existing);
        for (placeholder, bucket) in [("<bucket>", made), ("<linked>", bucket)] {
            match bucket {
                Some(bucket) => known.push((placeholder, bucket.name.to_string())),
                None => absent.push(placeholder),
            }
        }
        let scripts = spec.setup.scripts.iter().filter_map(|script| script.script.strip_prefix("s3://"));
        let scripts = scripts.map(str::to_owned).collect();
        Self {
            known,
            scripts,
            absent,
            partition: names::partition(&region),
            region,
            account: context.facts.account.clone(),
        }
    }

    /// The text with everything put in; `None` where this cluster has no such thing.
    pub(super) fn filled(&self, text: &str) -> Option<String> {
        if self.absent.iter().any(|placeholder| text.contains(placeholder)) {
            return None;
        }
        let mut text = text.to_owned();
        for (placeholder, value) in &self.known {
            text = text.replace(placeholder, value);
        }
        Some(text)
    }

    /// The resources that a row stands for.
    pub(super) fn resources(&self, text: &str) -> Vec<String> {
        if !text.contains("<script>") {
            return self.resource(text).into_iter().collect();
        }
        self.scripts.iter().filter_map(|script| self.resource(&text.replace("<script>", script))).collect()
    }

    /// A resource: also its partition, region and, where it is known, its account.
    fn resource(&self, text: &str) -> Option<String> {
        let text = self.filled(text)?;
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, rest] = parts[..] else { return Some(text) };
        let known = |is: &str, known: &str| if is == "*" { known.to_owned() } else { is.to_owned() };
        let (partition, region) = (known(partition, self.partition), known(region, &self.region));
        let account = known(account, self.account.as_deref().unwrap_or("*"));
        Some(format!("arn:{partition}:{service}:{region}:{account}:{rest}"))
    }
}

/// What one statement allows: on these resources, where this holds.
type Place<'a> = (&'a str, Option<Condition<'a>>, BTreeSet<String>);

/// Policies that allow these actions and no others. Statements are in the order of their services.
pub fn compose<'a>(wanted: &BTreeSet<&'a str>, scopes: &[Scope<'a>], names: &Names) -> Vec<PolicyDocument> {
    let mut places: BTreeMap<Place<'a>, Vec<&'a str>> = BTreeMap::new();
    for action in wanted {
        let service = action.split(':').next().unwrap_or_default();
        let mut by_condition: BTreeMap<Option<Condition<'a>>, BTreeSet<String>> = BTreeMap::new();
        for scope in on(scopes, action) {
            let resources = names.resources(scope.resource);
            if !resources.is_empty() {
                by_condition.entry(scope.condition.clone()).or_default().extend(resources);
            }
        }
        for (condition, resources) in by_condition {
            places.entry((service, condition, resources)).or_default().push(action);
        }
    }
    let mut policies: Vec<Vec<Statement>> = Vec::new();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for ((service, condition, resources), actions) in places {
        for part in actions.chunks(ACTIONS_MAX) {
            let number = numbers.entry(service).and_modify(|number| *number += 1).or_insert(1);
            // Letters and digits only, each once: `ec2No1`.
            let sid = format!("{}No{number}", service.replace('-', ""));
            let mut statement = Statement::allow(&sid, part).on(resources.iter().map(|one| Text::from(one.as_str())));
            if let Some(Condition { operator, key, values }) = &condition {
                let values: Vec<String> = values.iter().filter_map(|value| names.filled(value)).collect();
                statement = statement.only_if(operator, key, values.into());
            }
            match policies.last_mut() {
                Some(last) if characters(last.iter().chain([&statement])) <= CHARACTERS_MAX => last.push(statement),
                _ => policies.push(vec![statement]),
            }
        }
    }
    policies.into_iter().map(PolicyDocument::new).collect()
}

/// As IAM counts them.
fn characters<'a>(statements: impl Iterator<Item = &'a Statement>) -> usize {
    let text = serde_json::to_string(&PolicyDocument::new(statements.cloned().collect())).unwrap_or_default();
    text.chars().filter(|character| !character.is_whitespace()).count()
}
