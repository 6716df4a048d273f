//! One account and region: credentials, clients, and running what is asked with a deadline.

use std::future::Future;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use trainyard_run::Cancel;

use super::record::Recorder;
use super::refused::Refused;
use crate::Failure;

/// A throttled call is tried this often, with pauses that double.
const ATTEMPTS: u32 = 7;
const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(20);
/// With all its attempts and pauses.
const OPERATION: Duration = Duration::from_secs(90);

/// Clients for one region, with the standard credential chain.
pub struct Account {
    runtime: tokio::runtime::Runtime,
    /// What every client is made from.
    pub config: SdkConfig,
    /// Writes down what is asked and answered, where somebody wants that.
    pub recorder: Recorder,
    /// Stacks.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// The state of the compute fleet.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Log groups.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Buckets.
    pub s3: aws_sdk_s3::Client,
    /// Who asks.
    pub sts: aws_sdk_sts::Client,
}

impl Account {
    /// Reads settings and credentials as the aws CLI does (profiles, SSO, environment, instance metadata, assumed
    /// roles, `AWS_ENDPOINT_URL`, proxies). Nothing is asked of AWS yet.
    pub fn open(region: &str) -> Result<Self, Failure> {
        keep_out_of_core_dumps();
        let recorder = Recorder::open()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(OPERATION)
            .build();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(Duration::from_secs(10)))
            .timeout_config(timeouts)
            .app_name(
                AppName::new(concat!("trainyard-", env!("CARGO_PKG_VERSION")))
                    .map_err(|error| Failure::internal(error.to_string()))?,
            );
        let config = runtime.block_on(loader.load());
        // An emulated account's buckets are no host names.
        let is_elsewhere = config.endpoint_url().is_some();

        let written = || recorder.clone();
        let cloudformation = aws_sdk_cloudformation::config::Builder::from(&config).interceptor(written()).build();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).interceptor(written()).build();
        let logs = aws_sdk_cloudwatchlogs::config::Builder::from(&config).interceptor(written()).build();
        let s3 = aws_sdk_s3::config::Builder::from(&config).interceptor(written()).force_path_style(is_elsewhere);
        let sts = aws_sdk_sts::config::Builder::from(&config).interceptor(written()).build();
        Ok(Self {
            cloudformation: aws_sdk_cloudformation::Client::from_conf(cloudformation),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(logs),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sts: aws_sdk_sts::Client::from_conf(sts),
            recorder,
            runtime,
            config,
        })
    }

    /// The region.
    pub fn region(&self) -> &str {
        self.config.region().map_or("us-east-1", Region::as_ref)
    }

    /// The account's number.
    pub async fn number(&self) -> Result<Option<String>, Refused> {
        let asked = self.sts.get_caller_identity().send().await;
        Ok(asked.map_err(|error| Refused::new("sts:GetCallerIdentity", &error))?.account)
    }

    /// The end of the names of hosts, and the partition in ARNs.
    pub fn partition(&self) -> (&'static str, &'static str) {
        match self.region() {
            region if region.starts_with("cn-") => ("amazonaws.com.cn", "aws-cn"),
            region if region.starts_with("us-gov-") => ("amazonaws.com", "aws-us-gov"),
            _ => ("amazonaws.com", "aws"),
        }
    }

    /// Runs to the end, or until the user asks to stop.
    pub fn run<T>(
        &self,
        cancel: &Cancel,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                result = work => result,
                () = stopped(cancel) => Err(Failure::interrupted(format!("stopped while {what}"))),
            }
        })
    }
}

/// Ends when the user asks to stop.
pub async fn stopped(cancel: &Cancel) {
    while !cancel.is_set() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Credentials are in memory from here on.
fn keep_out_of_core_dumps() {
    use nix::sys::resource::{Resource, setrlimit};
    // Where even lowering a limit is forbidden, there is nothing that could be done about it.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}
