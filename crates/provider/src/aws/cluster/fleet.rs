//! Changes for which ParallelCluster wants the compute fleet stopped: stopped by us, changed, started again.

use trainyard_plan::Plan;
use trainyard_plan::aws::ClusterCall;
use trainyard_plan::aws::update::Effect;

use super::{Account, Outputs, Pause, Work, nodes, standing};
use crate::Failure;
use crate::aws::nodes::FleetWish;
use crate::aws::refused::Refused;

/// The object in the files bucket that says that the fleet was stopped for an update and is to run again after it: in
/// the account, because another machine may have to go on.
const MARK: &str = "state/fleet-stopped";

impl Work<'_> {
    /// Does a change, with the fleet stopped around it where ParallelCluster asks for that. `change` is told whether the
    /// cluster differs from what is asked for, as far as that is known.
    pub(super) async fn around_the_fleet(
        &self,
        call: &ClusterCall,
        change: impl AsyncFnOnce(bool) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let cluster = &self.plan.cluster;
        let changes = standing::changes(self.account, self.plan, call, &mut Outputs::of(self.plan)).await?;
        let changes = changes.unwrap_or_default();
        let bucket = files_bucket(self.account, self.plan).await?;
        let mut is_marked = is_in(self.account, &bucket).await?;
        if changes.iter().any(|change| change.effect == Effect::StopsFleet)
            && nodes::fleet(self.account, cluster).await.status != "STOPPED"
        {
            // Killed in between, the next run knows that it was us who stopped it.
            mark(self.account, &bucket).await?;
            is_marked = true;
            self.move_fleet(FleetWish::Stop).await?;
        }
        if let Err(failure) = change(!changes.is_empty()).await {
            let hint = "the fleet was stopped for this and is stopped still: the same command starts it once it is through, or now: trainyard fleet start";
            return Err(if is_marked { failure.hint(hint) } else { failure });
        }
        if is_marked {
            self.patience.tell("starting the fleet, which was stopped for a change");
            self.move_fleet(FleetWish::Start).await?;
            unmark(self.account, &bucket).await?;
        }
        Ok(())
    }

    async fn move_fleet(&self, wish: FleetWish) -> Result<(), Failure> {
        let cluster = &self.plan.cluster;
        nodes::ask_fleet(self.account, cluster, wish).await?;
        let mut pause = Pause::default();
        loop {
            let status = nodes::fleet(self.account, cluster).await.status;
            if status == wish.goal() {
                return Ok(());
            }
            let text = format!("the fleet is to {}; it is {status}", wish.word());
            self.patience.pause("the fleet", &text, pause.next()).await?;
        }
    }
}

async fn files_bucket(account: &Account, plan: &Plan) -> Result<String, Failure> {
    Outputs::of(plan).output(account, "data", "FilesBucketName").await
}

/// Whether an update that stopped the fleet did not come to start it again.
pub async fn is_marked(account: &Account, plan: &Plan) -> Result<bool, Failure> {
    // Without the bucket there is no mark.
    let Ok(bucket) = files_bucket(account, plan).await else { return Ok(false) };
    is_in(account, &bucket).await
}

async fn is_in(account: &Account, bucket: &str) -> Result<bool, Failure> {
    let asked = account.s3.head_object().bucket(bucket).key(MARK).send().await;
    match asked.map_err(|error| Refused::new("s3:HeadObject", &error)) {
        Ok(_) => Ok(true),
        Err(refused) if refused.is_absent() => Ok(false),
        Err(refused) => Err(refused.into()),
    }
}

async fn mark(account: &Account, bucket: &str) -> Result<(), Failure> {
    let text = "trainyard stopped the fleet for an update, and starts it again after that\n";
    let put = account.s3.put_object().bucket(bucket).key(MARK).body(text.as_bytes().to_vec().into());
    put.send().await.map_err(|error| Refused::new("s3:PutObject", &error))?;
    Ok(())
}

async fn unmark(account: &Account, bucket: &str) -> Result<(), Failure> {
    let asked = account.s3.delete_object().bucket(bucket).key(MARK).send().await;
    asked.map_err(|error| Refused::new("s3:DeleteObject", &error))?;
    Ok(())
}

/// A cluster that goes takes the mark along, and whoever starts or stops the fleet by hand decides from there on.
pub async fn forget_mark(account: &Account, plan: &Plan) -> Result<(), Failure> {
    let Ok(bucket) = files_bucket(account, plan).await else { return Ok(()) };
    if is_in(account, &bucket).await? { unmark(account, &bucket).await } else { Ok(()) }
}
