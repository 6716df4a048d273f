//! A record of what AWS is asked: one line of JSON for each attempt of a call, in the file that `TRAINYARD_RECORD` names.
//!
//! It has operations, statuses, error codes, times and the shapes of answers, and no value of the account: the file is
//! made to be shown to others. No trouble with it stops a life that has begun.

mod file;
mod names;
mod shape;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, Error, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use serde_json::{Map, Value, json};

use file::RecordFile;

use crate::Failure;

/// The file's name.
const VARIABLE: &str = "TRAINYARD_RECORD";

/// Writes down each call of the clients that it is given to; without a file, nothing.
#[derive(Debug, Clone)]
pub struct Recorder(Option<Arc<RecordFile>>);

impl Recorder {
    /// For the file that the environment names, if it names one.
    ///
    /// # Errors
    ///
    /// Nobody can write it: said now, when nothing has been asked, made or paid for yet.
    pub fn open() -> Result<Self, Failure> {
        // One file for the whole run: what has begun does not end because its record went away in the meantime.
        static OPENED: Mutex<Option<Recorder>> = Mutex::new(None);
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(recorder) = &*opened {
            return Ok(recorder.clone());
        }
        let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else { return Ok(Self(None)) };
        let path = Path::new(&path);
        let file = RecordFile::open(path).map_err(|error| {
            Failure::usage(format!("{VARIABLE}={} cannot be written", path.display()))
                .caused_by(error)
                .hint(format!("name a new file in a folder that is there, or leave {VARIABLE} away"))
        })?;
        Ok(opened.insert(Self(Some(Arc::new(file)))).clone())
    }
}

/// When an attempt began.
#[derive(Debug)]
struct Begun(Instant);

impl Storable for Begun {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Begun(Instant::now()));
        Ok(())
    }

    /// Comes after each attempt, whatever became of it. The body of an answer is there unless it is handed on while it
    /// comes (`s3:GetObject`).
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(file), Some(call)) = (&self.0, bag.load::<Metadata>()) else { return Ok(()) };
        let elapsed = bag.load::<Begun>().map_or(0, |begun| begun.0.elapsed().as_millis());
        let answer = context.response().map(|response| Answer {
            status: response.status().as_u16(),
            text: response.body().bytes().map(String::from_utf8_lossy),
        });
        let trouble = context.output_or_error().and_then(Result::err).map(trouble);
        file.write(&line(&service(call.service()), call.name(), elapsed, answer.as_ref(), trouble));
        Ok(())
    }
}

/// An answer, as far as it was read.
struct Answer<'a> {
    status: u16,
    text: Option<std::borrow::Cow<'a, str>>,
}

/// One line. Only words of the program's own and of the table of names get into it.
fn line(
    service: &str,
    operation: &str,
    milliseconds: u128,
    answer: Option<&Answer<'_>>,
    trouble: Option<&'static str>,
) -> String {
    let mut line = Map::new();
    line.insert("service".into(), service.into());
    line.insert("operation".into(), operation.into());
    line.insert("milliseconds".into(), u64::try_from(milliseconds).unwrap_or(u64::MAX).into());
    let Some(answer) = answer else {
        line.insert("trouble".into(), trouble.unwrap_or("no answer").into());
        return Value::Object(line).to_string();
    };
    line.insert("status".into(), answer.status.into());
    let text = answer.text.as_deref().unwrap_or_default();
    if !(200..300).contains(&answer.status) {
        let code = super::api::error_of(text).map(|(code, _)| names::code(&code).unwrap_or("another code"));
        line.insert("code".into(), code.unwrap_or("no code").into());
    } else if answer.text.is_none() {
        line.insert("unread".into(), "the body is handed on while it comes".into());
    } else if let Some(shape) = shape::of(text) {
        let fields = shape.fields.into_iter().map(|(path, kinds)| (path, json!(kinds)));
        line.insert("fields".into(), Value::Object(fields.collect()));
        line.insert("values".into(), json!(shape.values));
    } else if !text.is_empty() {
        line.insert("unread".into(), "the body is no XML or JSON of a usual size".into());
    }
    Value::Object(line).to_string()
}

/// What kept an answer away.
fn trouble(error: &OrchestratorError<Error>) -> &'static str {
    if error.is_timeout_error() {
        return "timeout";
    }
    match error.as_connector_error() {
        Some(error) if error.is_timeout() => "timeout",
        Some(_) => "connection",
        None => "no answer",
    }
}

/// As permissions name it: the SDK says `CloudWatch Logs`.
fn service(name: &str) -> String {
    match name {
        "CloudWatch Logs" => "logs".to_owned(),
        _ => name.to_lowercase(),
    }
}
