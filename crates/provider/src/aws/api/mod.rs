//! The operations of services whose SDK crates take long to build: through the SDK's own runtime, with its
//! signatures, retries, time limits and endpoints. One service is one [`Service`].

mod balancers;
mod ec2;
mod iam;
mod leavings;
pub mod lookup;
pub mod ssm;
mod xml;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::user_agent::{ApiMetadata, AwsUserAgent, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{Order, StaticRuntimePlugin};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::ErrorMetadata;
use aws_types::SigningName;
use aws_types::os_shim_internal::Env;
use aws_types::region::SigningRegion;

pub use balancers::{LoginPool, login_pools};
pub use ec2::{
    Instance, Reservation, ZoneName, delete_key_pair, import_key_pair, instances, key_pair_exists, key_pair_owner,
    offerings, reservations, subnets, zones,
};
pub use iam::{role_arn, simulate};
pub use leavings::{LastBackup, Leaving, LeavingKind, delete_leaving, file_system_state, leavings};
pub use ssm::run_on;

use super::Account;
use super::refused::{Answer, Refused, Told};

/// How a service is spoken to.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    /// Form fields in, XML out; with the API's version.
    Query(&'static str),
    /// JSON in and out; with what stands before the operation in `X-Amz-Target`.
    Json(&'static str),
}

/// A service.
struct Service {
    /// Its name in endpoints, signatures and permissions.
    name: &'static str,
    protocol: Protocol,
}

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The body of a request.
enum Body {
    /// Form fields.
    Form(Vec<(String, String)>),
    /// JSON.
    Json(serde_json::Value),
}

/// Form fields, without the operation's name and version.
fn form<const N: usize>(fields: [(&str, &str); N]) -> Body {
    Body::Form(fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

impl Account {
    /// Calls `operation` and returns the body of its answer.
    async fn call(&self, service: &'static Service, operation: &'static str, body: Body) -> Answer<String> {
        let name = format!("{}:{operation}", service.name);
        let (content_type, text) = match (service.protocol, body) {
            (Protocol::Query(version), Body::Form(fields)) => {
                let mut encoder = form_urlencoded::Serializer::new(String::new());
                encoder.append_pair("Action", operation).append_pair("Version", version).extend_pairs(fields);
                ("application/x-www-form-urlencoded; charset=utf-8", encoder.finish())
            }
            (Protocol::Json(_), Body::Json(value)) => ("application/x-amz-json-1.1", value.to_string()),
            _ => return Err(Refused::unreadable(&name, "the wrong form of request")),
        };
        let target = match service.protocol {
            Protocol::Json(prefix) => Some(format!("{prefix}.{operation}")),
            Protocol::Query(_) => None,
        };
        let request = Request { content_type, target, text };
        let built = self.operation(service, operation);
        built.invoke(request).await.map_err(|error| Refused::new(&name, &error))
    }

    /// The region that signatures name, and the host: IAM is one for all regions of a partition.
    fn home(&self, service: &Service) -> (String, String) {
        let (host_end, partition) = self.partition();
        let (region, host) = match (service.name, partition) {
            ("iam", "aws-cn") => ("cn-north-1", "iam.cn-north-1".to_owned()),
            ("iam", "aws-us-gov") => ("us-gov-west-1", "iam.us-gov".to_owned()),
            ("iam", _) => ("us-east-1", "iam".to_owned()),
            (name, _) => (self.region(), format!("{name}.{}", self.region())),
        };
        (region.to_owned(), format!("{host}.{host_end}"))
    }

    fn operation(&self, service: &'static Service, operation: &'static str) -> Operation<Request, String, Told> {
        let config = &self.config;
        let (region, host) = self.home(service);
        // A service's own address wins over the one for all.
        let own = config.service_config().and_then(|known| known.load_config(endpoint_key(service.name)));
        let endpoint =
            own.or_else(|| config.endpoint_url().map(str::to_owned)).unwrap_or_else(|| format!("https://{host}"));
        let mut layer = Layer::new("trainyard");
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(aws_types::region::Region::new(region))),
            name: Some(SigningName::from_static(service.name)),
            ..SigV4OperationSigningConfig::default()
        });
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        let agent =
            AwsUserAgent::new_from_environment(Env::real(), ApiMetadata::new(service.name, env!("CARGO_PKG_VERSION")));
        layer.store_put(match config.app_name() {
            Some(name) => agent.with_app_name(name.clone()),
            None => agent,
        });
        if let Some(timeouts) = config.timeout_config() {
            layer.store_put(timeouts.clone());
        }
        let components = RuntimeComponentsBuilder::new("trainyard")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
                StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
            )))
            .with_identity_cache(config.identity_cache())
            .with_interceptor(UserAgentInterceptor::new())
            .with_interceptor(self.recorder.clone())
            .with_retry_classifier(AwsErrorCodeClassifier::<Told>::new())
            .with_retry_classifier(TransientErrorClassifier::<Told>::new())
            .with_retry_classifier(HttpStatusCodeClassifier::default());
        let components = match config.credentials_provider() {
            Some(credentials) => components.with_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials)),
            None => components,
        };
        let plugin = StaticRuntimePlugin::new()
            .with_order(Order::Overrides)
            .with_config(layer.freeze())
            .with_runtime_components(components);
        let builder = Operation::builder()
            .service_name(service.name)
            .operation_name(operation)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&endpoint)
            .with_connection_poisoning()
            .runtime_plugin(plugin);
        let builder = match config.retry_config() {
            Some(retries) => builder.standard_retry(retries),
            None => builder,
        };
        let builder = match config.http_client() {
            Some(client) => builder.http_client(client),
            None => builder,
        };
        builder.serializer(serialize).deserializer(deserialize).build()
    }
}

#[derive(Debug)]
struct Request {
    content_type: &'static str,
    target: Option<String>,
    text: String,
}

fn serialize(request: Request) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
    let mut http = HttpRequest::new(SdkBody::from(request.text));
    http.set_method("POST")?;
    http.set_uri("/")?;
    http.headers_mut().insert("content-type", request.content_type);
    if let Some(target) = request.target {
        http.headers_mut().insert("x-amz-target", target);
    }
    Ok(http)
}

fn deserialize(response: &HttpResponse) -> Result<String, OrchestratorError<Told>> {
    let bytes = response.body().bytes().unwrap_or_default();
    if bytes.len() > ANSWER_BYTES_MAX {
        return Err(OrchestratorError::other(format!("an answer of {} bytes", bytes.len())));
    }
    let text = String::from_utf8_lossy(bytes);
    if response.status().is_success() {
        return Ok(text.into_owned());
    }
    let (code, message) = error_of(&text).unwrap_or_default();
    let code = if code.is_empty() { format!("HTTP {}", response.status().as_u16()) } else { code };
    Err(OrchestratorError::operation(Told(ErrorMetadata::builder().code(code).message(message).build())))
}

/// The code and message of an error answer, in the form of any service.
pub fn error_of(text: &str) -> Option<(String, String)> {
    xml::error(text).or_else(|| json_error(text))
}

/// `{"__type": "prefix#Code", "message": …}`
fn json_error(text: &str) -> Option<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let code = value["__type"].as_str().or(value["code"].as_str())?;
    let message = value["message"].as_str().or(value["Message"].as_str()).unwrap_or_default();
    Some((code.rsplit('#').next().unwrap_or(code).to_owned(), message.to_owned()))
}

fn endpoint_key(service: &'static str) -> aws_types::service_config::ServiceConfigKey<'static> {
    let id = match service {
        "ec2" => "EC2",
        "ssm" => "SSM",
        "elasticloadbalancing" => "Elastic Load Balancing v2",
        "iam" => "IAM",
        "fsx" => "FSx",
        "secretsmanager" => "Secrets Manager",
        "acm" => "ACM",
        _ => "Service Quotas",
    };
    aws_types::service_config::ServiceConfigKey::builder()
        .service_id(id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .unwrap_or_else(|_| unreachable!("all three are given"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_every_protocol_are_read() {
        let cases = [
            ("<Response><Errors><Error><Code>A</Code><Message>m</Message></Error></Errors></Response>", ("A", "m")),
            (
                "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>B</Code><Message/></Error></ErrorResponse>",
                ("B", ""),
            ),
            (r#"{"__type": "com.amazonaws#C", "message": "n"}"#, ("C", "n")),
            (r#"{"__type": "D", "Message": "n"}"#, ("D", "n")),
        ];
        for (text, (code, message)) in cases {
            assert_eq!(error_of(text), Some((code.to_owned(), message.to_owned())), "{text}");
        }
        for text in ["", "<", "<a>", "{}", "<a><b></a>", "\u{0}"] {
            assert_eq!(error_of(text), None, "{text}");
        }
    }
}
