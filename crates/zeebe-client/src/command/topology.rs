//! `Topology`.

use super::Command;
use crate::protocol::{TopologyRequest, TopologyResponse, partition};

/// Asks which brokers and partitions there are. RPC `Topology`.
#[derive(Debug, Clone, Default)]
pub struct Topology;

impl Command for Topology {
    const NAME: &'static str = "Topology";
    type Request = TopologyRequest;

    fn into_request(self) -> Self::Request {
        TopologyRequest {}
    }
}

/// The brokers and partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyAnswer {
    /// The gateway's version.
    pub gateway_version: String,
    /// How many partitions there are.
    pub partitions: usize,
    /// How many partitions have a healthy leader.
    pub healthy_leaders: usize,
}

impl From<TopologyResponse> for TopologyAnswer {
    fn from(answer: TopologyResponse) -> Self {
        Self {
            gateway_version: answer.gateway_version,
            partitions: usize::try_from(answer.partitions_count).unwrap_or_default(),
            healthy_leaders: answer
                .brokers
                .iter()
                .flat_map(|broker| &broker.partitions)
                .filter(|partition| {
                    partition.role() == partition::PartitionBrokerRole::Leader
                        && partition.health() == partition::PartitionBrokerHealth::Healthy
                })
                .count(),
        }
    }
}
