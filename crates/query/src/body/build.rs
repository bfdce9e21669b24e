//! What a build of OpenShift runs, and how near to its node that comes.
//!
//! A build runs in a privileged pod with the rights of the account `builder`. Its documentation ("Securing builds by strategy")
//! warns of two strategies: with a custom one the whole image is the author's, with a Docker one each line of the Dockerfile.

use std::borrow::Cow;

use super::object::Object;

/// How builds are made, and how the two are called by which their author gets near the node.
const STRATEGIES: [(&str, Option<&str>); 4] = [
    ("customStrategy", Some("custom build")),
    ("dockerStrategy", Some("Docker build")),
    ("sourceStrategy", None),
    ("jenkinsPipelineStrategy", None),
];

/// Where the socket of Docker lies, which a custom build can ask for.
const SOCKET: &str = "/var/run/docker.sock";

/// A way in which an object is built.
pub(super) struct Strategy<'a> {
    /// The member that it stands under.
    pub(super) name: &'static str,
    /// Why its pod could get at the node.
    pub(super) danger: Option<&'static str>,
    settings: Object<'a>,
}

/// The strategies of a specification: one, or none where it is no build. A Deployment has a `strategy` as well, of other members.
pub(super) fn strategies<'a>(spec: &Object<'a>) -> Vec<Strategy<'a>> {
    let Some(strategy) = spec.object("strategy") else { return Vec::new() };
    let of = |(name, danger): (&'static str, _)| Some(Strategy { name, danger, settings: strategy.object(name)? });
    STRATEGIES.into_iter().filter_map(of).collect()
}

/// What the specification itself gives to be run: the lines of a Dockerfile.
pub(super) fn dockerfile<'a>(spec: &Object<'a>) -> Option<Cow<'a, str>> {
    spec.object("source")?.text("dockerfile")
}

impl<'a> Strategy<'a> {
    /// The image that builds, or that is built on.
    pub(super) fn image(&self) -> Option<Cow<'a, str>> {
        self.settings.object("from")?.text("name")
    }

    /// A file of the node that it asks for.
    pub(super) fn host_path(&self) -> Option<Cow<'a, str>> {
        self.settings.is_true("exposeDockerSocket").then_some(Cow::Borrowed(SOCKET))
    }

    /// A pipeline in Jenkins' words.
    pub(super) fn pipeline(&self) -> Option<Cow<'a, str>> {
        self.settings.text("jenkinsfile")
    }
}
