//! What AWS refuses, and what keeps us from asking it: one sentence, the service's own words, what to do next.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};

use crate::Failure;

/// An operation that did not go through.
#[derive(Debug)]
pub struct Refused {
    /// The operation: `cloudformation:CreateStack`.
    pub operation: String,
    /// AWS's code for it; empty when no answer came.
    pub code: String,
    /// AWS's own words, or what kept us from asking.
    pub message: String,
    why: Why,
}

/// What stood in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Answer,
    NoCredentials,
    NoAnswer,
    Slow,
    Ours,
}

/// What was asked, once it is answered.
pub type Answer<T> = Result<T, Refused>;

impl Refused {
    /// Reads an SDK's error.
    pub fn new<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let refused = |why, code: &str, message: String| Self {
            operation: operation.to_owned(),
            code: code.to_owned(),
            message: bounded(&message),
            why,
        };
        match error {
            SdkError::ServiceError(answer) => {
                let meta = answer.err();
                // The answer to a HEAD has no body: its status is all there is.
                let status = answer.raw().status().as_u16().to_string();
                let code = meta.code().map_or(status, str::to_owned);
                let message = meta.message().map_or_else(|| plain(&code), str::to_owned);
                refused(Why::Answer, &code, message)
            }
            SdkError::TimeoutError(_) => refused(Why::Slow, "", "no answer came in time".to_owned()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                refused(Why::Slow, "", "no answer came in time".to_owned())
            }
            SdkError::DispatchFailure(failure) => {
                let source = failure.as_connector_error().map(|error| -> &(dyn Error + 'static) { error });
                let credentials = source.is_some_and(about_credentials);
                let why = if credentials { Why::NoCredentials } else { Why::NoAnswer };
                refused(why, "", source.map_or_else(|| "the connection failed".to_owned(), innermost))
            }
            SdkError::ConstructionFailure(_) | SdkError::ResponseError(_) => {
                let text = error.source().map_or_else(|| error.to_string(), innermost);
                let why = if matches!(error, SdkError::ResponseError(_)) { Why::NoAnswer } else { Why::Ours };
                refused(why, "", text)
            }
            _ => refused(Why::Ours, "", error.to_string()),
        }
    }

    /// An answer of a form that nobody expected.
    pub fn unreadable(operation: &str, what: impl Into<String>) -> Self {
        Self { operation: operation.to_owned(), code: String::new(), message: bounded(&what.into()), why: Why::Ours }
    }

    /// Whether AWS answered with one of these codes.
    pub fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// Whether AWS answered at all.
    pub fn is_answer(&self) -> bool {
        self.why == Why::Answer
    }

    /// Whether AWS answered that the caller may not ask.
    pub fn is_denial(&self) -> bool {
        self.why == Why::Answer && self.is_denied()
    }

    /// Whether the thing that was asked about is not there.
    pub fn is_absent(&self) -> bool {
        self.code.ends_with("NotFound")
            || self.code == "404"
            || self.is(&[
                "VolumeNotFound",
                "FileSystemNotFound",
                "FileCacheNotFound",
                "ResourceNotFoundException",
                "NoSuchEntity",
                "NoSuchBucket",
                "NoSuchKey",
                "NotFoundException",
            ])
            || (self.code == "ValidationError" && self.message.contains("does not exist"))
    }

    fn hints(&self) -> Vec<String> {
        let say = |text: &str| vec![text.to_owned()];
        match self.why {
            Why::NoCredentials => vec![
                "give credentials as for the aws CLI: AWS_PROFILE, aws sso login, environment variables, or an instance's role".to_owned(),
                "check them with: trainyard check --online".to_owned(),
            ],
            Why::NoAnswer => say("check the network, HTTPS_PROXY and NO_PROXY, and AWS_ENDPOINT_URL if it is set; then run the same command again"),
            Why::Slow => say("run the same command again; behind a proxy, check HTTPS_PROXY and NO_PROXY"),
            Why::Ours => Vec::new(),
            Why::Answer => self.answered(),
        }
    }

    fn answered(&self) -> Vec<String> {
        const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];
        const UNKNOWN: &[&str] = &[
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "AuthFailure",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
        ];
        let text = if self.is(EXPIRED) {
            "the credentials have expired: renew them (aws sso login, or a new session), then run the same command again"
        } else if self.is(UNKNOWN) {
            "AWS does not know these credentials: check AWS_PROFILE and the environment, and the machine's clock"
        } else if self.is_denied() {
            return vec![
                format!("let the caller do {}: docs/iam.md has the policy", self.operation),
                "then run the same command again; what stands is left alone".to_owned(),
            ];
        } else if self.is_throttled() {
            "AWS asks to slow down, and did after several pauses: run the same command again in a minute"
        } else if self.code.contains("LimitExceeded") || self.code.contains("QuotaExceeded") {
            "a quota of the account is used up: raise it in Service Quotas, or free something; then run the same command again"
        } else if self.code.starts_with("Internal") || self.code == "ServiceUnavailable" || self.code == "Unavailable" {
            "AWS has trouble of its own (https://health.aws.amazon.com): run the same command again"
        } else {
            return Vec::new();
        };
        vec![text.to_owned()]
    }

    fn is_denied(&self) -> bool {
        self.code.starts_with("AccessDenied")
            || self.is(&["UnauthorizedOperation", "AuthorizationError", "Forbidden", "403"])
    }

    fn is_throttled(&self) -> bool {
        const CODES: &[&str] =
            &["RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "PriorRequestNotComplete"];
        self.code.starts_with("Throttl") || self.is(CODES) || self.code == "ProvisionedThroughputExceededException"
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.code.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.code, self.message) }
    }
}

impl Error for Refused {}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let operation = &refused.operation;
        let what = match refused.why {
            Why::Answer if refused.is_denied() => format!("AWS does not let the caller do {operation}"),
            Why::Answer => format!("AWS refused {operation}"),
            Why::NoCredentials => "there are no AWS credentials that work".to_owned(),
            Why::NoAnswer => format!("AWS could not be reached for {operation}"),
            Why::Slow => format!("AWS did not answer {operation} in time"),
            Why::Ours => {
                return Failure::internal(format!("{operation}: an answer that trainyard cannot read"))
                    .caused_by(refused);
            }
        };
        let hints = refused.hints();
        hints.into_iter().fold(Failure::refused(what).caused_by(refused), Failure::hint)
    }
}

/// An error that AWS answered to an operation without a crate here.
#[derive(Debug)]
pub struct Told(pub ErrorMetadata);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Told {}

impl ProvideErrorMetadata for Told {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

fn about_credentials(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(<dyn std::error::Error + 'static>::is::<CredentialsError>)
}

/// A status in words.
fn plain(code: &str) -> String {
    match code {
        "403" => "not allowed".to_owned(),
        "404" => "not there".to_owned(),
        "301" => "in another region".to_owned(),
        _ => "no more was said".to_owned(),
    }
}

/// The last cause says what happened; those above it say where.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Messages come from outside: they are cut where nobody would read on.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(4000).collect()
}
