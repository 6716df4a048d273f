//! A Grafana of one's own, in clear text.

use super::{Rule, Scope};
use crate::model::MonitoringMode;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "certificate-needed",
    summary: "A self-hosted Grafana has a certificate",
    explain: "People log in to Grafana through a load balancer, and without a certificate their passwords would cross the \
              internet in the clear. Request one in AWS Certificate Manager, in the cluster's region, for a name of yours.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    if spec.monitoring.mode != MonitoringMode::SelfHosted || spec.monitoring.certificate.is_some() {
        return Vec::new();
    }
    vec![
        Diagnostic::error(RULE.code, path!["monitoring", "certificate"], "a self-hosted Grafana needs a certificate")
            .shown_at(path!["monitoring", "mode"])
            .why("passwords would cross the internet in the clear")
            .fix("request one in AWS Certificate Manager and add `certificate: arn:aws:acm:…`"),
    ]
}
