//! What commands cost a real engine: CPU seconds of its process, and how its data grows.
//!
//! `cargo run --release --example engine_costs -- ADDRESS PID DATA messages|renewals COUNT`, with what
//! `scripts/zeebe start broker --no-observer` printed.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use zeebe_client::{
    ActivateJobs, CreateProcessInstance, DeployResource, Gateway, PublishMessage, Resource,
    Settings, UpdateJobTimeout,
};

/// Commands in flight.
const IN_FLIGHT: usize = 64;
/// A process with one job.
const MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <bpmn:process id="costs" isExecutable="true">
    <bpmn:startEvent id="s"><bpmn:outgoing>f</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t" />
    <bpmn:serviceTask id="t">
      <bpmn:extensionElements><zeebe:taskDefinition type="costs" /></bpmn:extensionElements>
      <bpmn:incoming>f</bpmn:incoming>
    </bpmn:serviceTask>
  </bpmn:process>
</bpmn:definitions>"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, pid, data, what, count] = arguments.as_slice() else {
        return Err("say ADDRESS PID DATA messages|renewals COUNT".into());
    };
    let count: usize = count.parse()?;
    let gateway = Gateway::new(Settings::new(address.parse()?))?;
    let job_key = match what.as_str() {
        "messages" => None,
        "renewals" => Some(activated_job(&gateway).await?),
        other => return Err(format!("`{other}` is neither messages nor renewals").into()),
    };
    let (cpu, bytes, began) = (cpu_seconds(pid)?, size(Path::new(data))?, Instant::now());
    stream::iter(0..count)
        .map(|number| {
            let gateway = gateway.clone();
            async move {
                loop {
                    let done = match job_key {
                        Some(job_key) => {
                            let timeout = Duration::from_secs(600);
                            let renewal = UpdateJobTimeout { job_key, timeout };
                            gateway.update_job_timeout(renewal).await
                        }
                        None => gateway.publish_message(message(number)).await.map(drop),
                    };
                    // Backpressure is expected at this rate.
                    match done {
                        Ok(()) => return,
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            }
        })
        .buffer_unordered(IN_FLIGHT)
        .collect::<Vec<()>>()
        .await;
    println!(
        "{count} {what}: {:.1} s, {:.1} CPU seconds of the engine, {:.1} MB more data",
        began.elapsed().as_secs_f64(),
        cpu_seconds(pid)? - cpu,
        (size(Path::new(data))? as f64 - bytes as f64) / 1e6,
    );
    Ok(())
}

fn message(number: usize) -> PublishMessage {
    PublishMessage {
        name: String::from("Costs"),
        correlation_key: number.to_string(),
        message_id: format!("{number:032x}"),
        time_to_live: Duration::from_secs(3600),
        variables: format!(
            r#"{{"reservationId":"{number}","text":"{}"}}"#,
            "x".repeat(160)
        ),
        tenant_id: None,
    }
}

async fn activated_job(gateway: &Gateway) -> Result<zeebe_client::JobKey, Box<dyn Error>> {
    let resource = Resource {
        name: String::from("costs.bpmn"),
        content: MODEL.into(),
    };
    let deployment = DeployResource {
        resources: vec![resource],
        tenant_id: None,
    };
    gateway.deploy_resource(deployment).await?;
    let start = CreateProcessInstance {
        bpmn_process_id: String::from("costs"),
        version: None,
        variables: String::new(),
        tenant_id: None,
    };
    gateway.create_process_instance(start).await?;
    let activate = ActivateJobs {
        job_type: String::from("costs"),
        worker: String::from("costs"),
        timeout: Duration::from_secs(600),
        max_jobs_to_activate: 1,
        fetch_variables: Vec::new(),
        request_timeout: Some(Duration::from_secs(10)),
        tenant_ids: Vec::new(),
    };
    let mut batches = gateway.activate_jobs(activate).await?;
    while let Some(batch) = batches.next().await {
        if let Some(job) = batch?.first() {
            return Ok(job.key);
        }
    }
    Err("no job came".into())
}

/// User and system time of a process so far, from `/proc`; a tick is a hundredth of a second.
fn cpu_seconds(pid: &str) -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>)
        .sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}

/// All files under a folder, in bytes; those that vanish meanwhile do not count.
fn size(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        bytes += match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => size(&path).unwrap_or(0),
            Ok(found) => found.len(),
            Err(_) => 0,
        };
    }
    Ok(bytes)
}
