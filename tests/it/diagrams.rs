//! The pictures of the models show what the models say.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn models() -> Vec<PathBuf> {
    let folder = root().join("bpmn/tickets");
    let models: Vec<PathBuf> = fs::read_dir(folder)
        .expect("models are shipped")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "bpmn"))
        .collect();
    assert!(models.len() >= 4, "{models:?}");
    models
}

fn picture_of(model: &Path) -> String {
    let name = model.file_stem().expect("a name");
    let picture = root()
        .join("demo/assets/diagrams")
        .join(name)
        .with_extension("svg");
    fs::read_to_string(&picture)
        .unwrap_or_else(|error| panic!("{}: {error}; run scripts/bpmn-pictures", picture.display()))
}

#[test]
fn every_model_of_the_sale_has_a_picture_that_was_drawn_from_it_as_it_is() {
    for model in models() {
        let mut hash = String::new();
        for byte in Sha256::digest(fs::read(&model).expect("a model")) {
            write!(hash, "{byte:02x}").expect("text");
        }
        assert!(
            picture_of(&model).contains(&format!("data-model-sha256=\"{hash}\"")),
            "the picture of {} is older than the model; run scripts/bpmn-pictures",
            model.display()
        );
    }
}

#[test]
fn every_element_of_a_model_can_be_found_in_its_picture() {
    for model in models() {
        let text = fs::read_to_string(&model).expect("a model");
        let picture = picture_of(&model);
        let drawn: Vec<&str> = text
            .split("bpmnElement=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|id| *id != "ticket-sale")
            .collect();
        assert!(drawn.len() > 10, "{drawn:?}");
        for id in drawn {
            assert!(
                picture.contains(&format!("data-element-id=\"{id}\"")),
                "{id} of {} is not in its picture",
                model.display()
            );
        }
    }
}

#[test]
fn a_picture_needs_no_style_and_no_script_that_a_page_would_have_to_allow() {
    for model in models() {
        let picture = picture_of(&model);
        for forbidden in ["<style", " style=", "<script", "href=", "url("] {
            assert!(
                !picture.contains(forbidden),
                "`{forbidden}` in the picture of {}",
                model.display()
            );
        }
    }
}
