//! Text that AWS CloudWatch gives out: an export to S3 (`<time> {…}`; lines are not in order), and
//! `aws logs tail` (`<time> <stream> {…}`). The time is that of CloudWatch, which can be an hour behind the event.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "cloudwatch-lines",
    summary: "AWS CloudWatch as text: an export to S3, or `aws logs tail`",
    recognises: |head| {
        let mut words = head.prefix.split_ascii_whitespace();
        let is_time = words.next().is_some_and(|time| crate::time::parse(time).is_some());
        is_time && words.next().is_none_or(|stream| stream.starts_with("kube-")) && words.next().is_none()
    },
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};
