//! An export of Graylog: its own fields begin with `gl2_`, those of the event are flattened, and the text `message`
//! holds the event as OpenShift sent it.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "graylog",
    summary: "Graylog: the event in `message`, beside gl2_ fields",
    recognises: |head| head.has_name("gl2_"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};
