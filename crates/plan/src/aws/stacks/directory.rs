//! A directory of people: AWS Managed Microsoft AD, spoken to by TLS through a load balancer that holds the certificate.
//!
//! Source: ParallelCluster's own walk-through of Active Directory over LDAPS.

use trainyard_spec::model::Directory;

use super::StackKind;
use crate::aws::cloudformation::resources::database::{GeneratedSecret, Secret};
use crate::aws::cloudformation::resources::directory::{
    AliasTarget, HostedZone, HostedZoneVpc, MicrosoftAd, RecordSet, VpcSettings,
};
use crate::aws::cloudformation::resources::ec2::{
    Certificate, Listener, ListenerAction, LoadBalancer, Rule, SecurityGroup, Target, TargetGroup,
};
use crate::aws::cloudformation::{Template, Text, attribute, kind, reference, select, sub};
use crate::aws::{Context, names};

pub(super) static STACK: StackKind = StackKind {
    name: "directory",
    about: "Directory: people's accounts.",
    stays: Some("people's accounts outlive the cluster"),
    seconds: 2400,
    fill,
};

const LDAP: u16 = 389;
const LDAPS: u16 = 636;

/// Who reads the directory for the nodes, as Managed Microsoft AD files its users.
pub fn reader(domain: &str) -> String {
    let parts: Vec<String> = domain.split('.').map(|part| format!("dc={part}")).collect();
    format!("cn=ReadOnlyUser,ou=Users,ou={},{}", short_name(domain), parts.join(","))
}

/// The NetBIOS name: the domain's first label.
fn short_name(domain: &str) -> String {
    domain.split('.').next().unwrap_or(domain).to_uppercase()
}

fn fill(context: &Context<'_>, template: &mut Template) {
    let Some(Directory::New { domain, certificate, .. }) = &context.spec.directory else { return };
    let vpc = template.reads("VpcId", kind::VPC, "The VPC", &context.place.vpc());
    let subnets = context.reads_services(template, "Directory", "A subnet of the directory");
    people(context, template, domain, VpcSettings::new().vpc_id(vpc.clone()).subnet_ids(subnets.clone()));
    front(context, template, &vpc, subnets);
    let certificate = template.reads(
        "CertificateArn",
        kind::TEXT,
        "The certificate of the directory (ACM)",
        &certificate.to_string().into(),
    );
    let forward = ListenerAction::new().kind("forward").target_group_arn(reference("DirectoryTargets"));
    let tls = Listener::new()
        .load_balancer_arn(reference("DirectoryFront"))
        .port(LDAPS)
        .protocol("TLS")
        .certificates(vec![Certificate::new().certificate_arn(certificate)])
        .ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06")
        .default_actions(vec![forward]);
    template.keep("DirectoryTls", tls);
    let zone = HostedZone::new().name(domain.as_str());
    let region = sub("${AWS::Region}");
    template.keep("DirectoryZone", zone.vpcs(vec![HostedZoneVpc::new().vpc_id(vpc).vpc_region(region)]));
    let alias = AliasTarget::new()
        .dns_name(attribute("DirectoryFront", "DNSName"))
        .hosted_zone_id(attribute("DirectoryFront", "CanonicalHostedZoneID"));
    let record = RecordSet::new().name(domain.as_str()).kind("A").hosted_zone_id(reference("DirectoryZone"));
    template.keep("DirectoryRecord", record.alias_target(alias));
    template.output(
        "ReaderSecretArn",
        "The secret with the password that ReadOnlyUser is to have",
        reference("ReaderPassword"),
    );
    template.output(
        "AdminSecretArn",
        "The secret with the password of the directory's Admin",
        reference("AdminPassword"),
    );
    template.output("DirectoryId", "The directory", reference("Directory"));
}

fn people(context: &Context<'_>, template: &mut Template, domain: &str, place: VpcSettings) {
    for (name, whose) in
        [("AdminPassword", "Password of the directory's Admin"), ("ReaderPassword", "Password of ReadOnlyUser")]
    {
        let generated = GeneratedSecret::new().password_length(40_u32).exclude_punctuation(true);
        let secret = Secret::new().description(whose).generate_secret_string(generated);
        template.keep(name, secret.tags(template.tags(&names::label(context.spec, "directory"))));
    }
    let directory = MicrosoftAd::new()
        .name(domain)
        .short_name(short_name(domain))
        .edition("Standard")
        .password(sub("{{resolve:secretsmanager:${AdminPassword}}}"))
        .enable_sso(false)
        .vpc_settings(place);
    template.keep("Directory", directory);
}

/// Network load balancer: TLS from nodes, plain LDAP to the two servers behind it, inside the VPC.
fn front(context: &Context<'_>, template: &mut Template, vpc: &Text, subnets: Vec<Text>) {
    let spec = context.spec;
    let tags = template.tags(&names::label(spec, "directory"));
    let nodes = context.reads_nodes(template);
    let ask = Rule::new().ip_protocol("tcp").from_port(LDAPS).to_port(LDAPS).source_security_group_id(nodes);
    // The directory's servers have a group of AWS's own, whose id no template knows.
    let pass = Rule::new().ip_protocol("tcp").from_port(LDAP).to_port(LDAP).cidr_ip("0.0.0.0/0");
    let group = SecurityGroup::new().group_description("Directory, by TLS").vpc_id(vpc.clone());
    let group = group
        .security_group_ingress(vec![ask.description("LDAPS from nodes")])
        .security_group_egress(vec![pass.description("LDAP to the directory's servers")]);
    template.keep("DirectorySecurityGroup", group.tags(tags.clone()));
    let front = LoadBalancer::new()
        .kind("network")
        .scheme("internal")
        .subnets(subnets)
        .security_groups(vec![attribute("DirectorySecurityGroup", "GroupId")])
        .tags(tags.clone());
    template.keep("DirectoryFront", front);
    let servers =
        [0, 1].map(|number| Target::new().id(select(number, attribute("Directory", "DnsIpAddresses"))).port(LDAP));
    let targets = TargetGroup::new()
        .port(LDAP)
        .protocol("TCP")
        .vpc_id(vpc.clone())
        .target_type("ip")
        .targets(servers.to_vec())
        .health_check_protocol("TCP")
        .tags(tags);
    template.keep("DirectoryTargets", targets);
}
