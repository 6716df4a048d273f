//! Why AWS refused, in the forms of all its services.

use trainyard_provider::aws::error_of;

use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "aws-answers",
    about: "why AWS refused, in XML and in JSON",
    seeds: || {
        seeds::texts(&[
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
             <Code>NoSuchEntity</Code><Message>&lt;x&gt;</Message></Error></ErrorResponse>",
            "{\"__type\":\"com.amazonaws.fsx#FileSystemNotFound\",\"Message\":\"gone\"}",
        ])
    },
    run,
};

fn run(data: &[u8]) {
    let _ = error_of(&String::from_utf8_lossy(data));
}
