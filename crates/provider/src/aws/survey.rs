//! What is true of the account and matters to a spec.

use std::collections::{BTreeMap, BTreeSet};

use trainyard_plan::aws::Expected;
use trainyard_spec::Spec;
use trainyard_spec::facts::{AwsFacts, ReservationFacts};
use trainyard_spec::model::{Capacity, ComputeResource};

use super::api::{self, ZoneName};
use super::refused::{Answer, Refused};
use super::{Account, permissions, stacks};
use crate::Failure;

/// Asks for everything at once; changes nothing.
pub async fn survey(account: &Account, spec: &Spec) -> Result<AwsFacts, Failure> {
    let ids = reservation_ids(spec);
    let reserved = async {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        match api::reservations(account, &ids).await {
            // One that is not there is told with its place in the spec; the others are asked for one by one.
            Err(refused) if refused.code.contains("CapacityReservation") => Ok(one_by_one(account, &ids).await),
            answer => answer,
        }
    };
    let types = types(spec);
    let network = format!("{}-network", spec.name);
    let (who, zones, offered, reserved, network) = tokio::try_join!(
        who(account),
        api::zones(account),
        api::offerings(account, &types),
        reserved,
        stacks::describe(account, &network),
    )?;
    let made_in = network.and_then(|stack| stacks::outputs(&stack).remove("Zone"));
    let mut facts = AwsFacts::assumed(spec);
    facts.account = Some(who);
    facts.surveyed_at = Some(jiff::Timestamp::now().as_second());
    for one in reserved {
        let known = ReservationFacts {
            instance: one.instance,
            zone: one.zone,
            count: one.count,
            is_block: one.is_block,
            placement_group: one.placement_group,
            starts_at: one.starts_at.map(jiff::Timestamp::as_second),
        };
        facts.reservations.insert(one.id, known);
    }
    facts.assumed.remove("reservations");
    let zones = Zones { all: zones, offered };
    if spec.network.zone.is_none() {
        facts.zone = zones.choose(&facts, &types, made_in).ok_or_else(|| none_has_them(&types))?;
        facts.assumed.remove("zone");
    }
    if spec.network.second_zone.is_none() {
        facts.second_zone = zones.another(&facts.zone);
    }
    facts.head_zone = match &spec.network.existing {
        Some(existing) => head_zone(account, existing.head_subnet.as_str()).await?,
        None => zones.name(&facts.zone),
    };
    facts.assumed.remove("head_zone");
    look_for(account, spec, &mut facts).await?;
    match permissions::denied(account, spec, &facts).await {
        Ok(denied) => facts.denied = denied,
        Err(why) => drop(facts.assumed.insert("permissions".to_owned(), why)),
    }
    Ok(facts)
}

/// Looks for what the spec names. What the caller may not look at is left out: it is not known to be missing.
async fn look_for(account: &Account, spec: &Spec, facts: &mut AwsFacts) -> Result<(), Failure> {
    for (id, expected) in trainyard_plan::aws::expected(spec, facts) {
        let found = match look(account, &expected).await {
            Some(Err(refused)) if refused.is_denial() => None,
            Some(answer) => Some(answer?),
            None => None,
        };
        if let Some(found) = found {
            facts.existing.insert(id, found);
        }
    }
    let codes = trainyard_plan::aws::quota_codes(spec);
    match api::lookup::quotas(account, &codes).await {
        Ok(quotas) => facts.quotas = quotas,
        Err(refused) if refused.is_denial() => {}
        Err(refused) => return Err(refused.into()),
    }
    facts.key = api::lookup::key_kind(account, &trainyard_plan::aws::key_name(spec)).await?;
    Ok(())
}

/// `None`: there is no way to look for it yet.
async fn look(account: &Account, expected: &Expected) -> Option<Answer<api::lookup::Like>> {
    use api::lookup;
    Some(match expected {
        Expected::Vpc { id } => lookup::vpc(account, id).await,
        Expected::Subnet { id, .. } => lookup::subnet(account, id).await,
        Expected::SecurityGroup { id, .. } => lookup::security_group(account, id).await,
        Expected::Reservation { id, .. } => lookup::reservation(account, id).await,
        Expected::PlacementGroup { name } => lookup::placement_group(account, name).await,
        Expected::Image { id, .. } => lookup::image(account, id).await,
        Expected::Lustre { id } => lookup::file_system(account, id).await,
        Expected::ZfsVolume { id } | Expected::OntapVolume { id } => lookup::file_volume(account, id).await,
        Expected::FileCache { id } => lookup::file_cache(account, id).await,
        Expected::Volume { id, .. } => lookup::volume(account, id).await,
        Expected::Secret { arn } => lookup::secret(account, arn).await,
        Expected::Certificate { arn } => lookup::certificate(account, arn).await,
        Expected::Bucket { name } => lookup::bucket(account, name).await,
        Expected::Object { bucket, key } => lookup::object(account, bucket, key).await,
        Expected::ReservationGroup { .. }
        | Expected::Efs { .. }
        | Expected::PrometheusWorkspace { .. }
        | Expected::GrafanaWorkspace { .. } => return None,
    })
}

async fn one_by_one(account: &Account, ids: &[String]) -> Vec<api::Reservation> {
    let mut all = Vec::new();
    for id in ids {
        all.extend(api::reservations(account, std::slice::from_ref(id)).await.unwrap_or_default());
    }
    all
}

/// The account's number.
async fn who(account: &Account) -> Result<String, Refused> {
    account.number().await?.ok_or_else(|| Refused::unreadable("sts:GetCallerIdentity", "no account number"))
}

async fn head_zone(account: &Account, subnet: &str) -> Result<String, Failure> {
    let found = api::subnets(account, &[subnet.to_owned()]).await?;
    found.into_iter().next().map(|found| found.zone).ok_or_else(|| {
        Failure::refused(format!("there is no subnet {subnet} in {}", account.region()))
            .hint("`network.existing.head_subnet` names it")
    })
}

struct Zones {
    all: Vec<ZoneName>,
    /// By instance type.
    offered: BTreeMap<String, Vec<String>>,
}

impl Zones {
    /// The zone of the nodes: where the network already is, where reservations are, or the first that offers every
    /// type. The same answer each time: a cluster must not wander.
    fn choose(&self, facts: &AwsFacts, types: &[String], made_in: Option<String>) -> Option<String> {
        if made_in.is_some() {
            return made_in;
        }
        if let Some(reserved) = facts.reservations.values().next() {
            return Some(reserved.zone.clone());
        }
        let mut names: Vec<&String> = self.all.iter().map(|zone| &zone.name).collect();
        names.sort();
        let offers_all = |zone: &&&String| {
            types.iter().all(|name| self.offered.get(name).is_some_and(|in_zones| in_zones.contains(zone)))
        };
        names.iter().find(offers_all).map(|zone| (*zone).clone())
    }

    /// Another zone, in the same spelling.
    fn another(&self, zone: &str) -> String {
        let spelling = |one: &ZoneName| if zone.contains("-az") { one.id.clone() } else { one.name.clone() };
        let mut others: Vec<String> = self.all.iter().map(spelling).filter(|other| other != zone).collect();
        others.sort();
        others.into_iter().next().unwrap_or_else(|| zone.to_owned())
    }

    /// The name of a zone that may be given by its id.
    fn name(&self, zone: &str) -> String {
        self.all.iter().find(|one| one.id == zone).map_or_else(|| zone.to_owned(), |one| one.name.clone())
    }
}

fn none_has_them(types: &[String]) -> Failure {
    Failure::bad(format!("no zone of the region offers all of {}", types.join(", ")))
        .hint("choose another region, or other instance types: docs/instances.md")
}

/// Every instance type that the spec names.
fn types(spec: &Spec) -> Vec<String> {
    let queues = spec.queues.iter().flat_map(|queue| &queue.compute).flat_map(ComputeResource::types);
    let logins = spec.login.iter().map(|pool| &pool.instance);
    let all: BTreeSet<String> = queues.chain(logins).chain([&spec.head.instance]).map(ToString::to_string).collect();
    all.into_iter().collect()
}

fn reservation_ids(spec: &Spec) -> Vec<String> {
    let id = |capacity: &Capacity| match capacity {
        Capacity::OwnReservation { reservation, .. }
        | Capacity::TargetedReservation { reservation }
        | Capacity::CapacityBlock { reservation } => Some(reservation.to_string()),
        _ => None,
    };
    let all: BTreeSet<String> = spec.queues.iter().filter_map(|queue| id(&queue.capacity)).collect();
    all.into_iter().collect()
}
