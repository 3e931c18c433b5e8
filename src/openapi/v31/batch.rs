//! The endpoint of batches.

use super::{json_content, parameter, response, schema};
use crate::batch::OWN_FIELDS;
use serde_json::{Map, Value, json};

/// The path item. `most`: the largest number of requests.
pub fn path(most: usize) -> Value {
    let requests = json!({ "type": "array", "maxItems": most, "items": schema("rest.batched-request") });
    let answers = json!({ "type": "array", "items": schema("rest.batched-answer") });
    json!({ "post": {
        "operationId": "batch",
        "tags": ["/"],
        "summary": "Many requests in one transaction",
        "description": "The requests run in order, with the identity of the batch. If one fails, nothing is changed, and the answer is \
                        its error with its index.",
        "parameters": [parameter("rest.header.idempotency-key")],
        "requestBody": { "required": true, "content": json_content(&requests) },
        "responses": {
            "200": { "description": "The answers, in the order of the requests.", "content": json_content(&answers) },
            "default": response("Problem")
        }
    } })
}

/// The schemas that it refers to.
pub fn schemas() -> Map<String, Value> {
    let reference = json!({
        "description": "A value of an earlier answer: the position or the id of the request, and a JSON Pointer.",
        "type": "object",
        "properties": { "$ref": { "type": "string", "examples": ["0/body/0/id"] } },
        "required": ["$ref"],
        "additionalProperties": false
    });
    let value = json!({ "anyOf": [{ "type": ["string", "number", "boolean", "null"] }, reference] });
    let fields: Map<String, Value> =
        OWN_FIELDS.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    let request = json!({
        "type": "object",
        "properties": {
            "id": { "description": "A name for references. Not a number.", "type": "string" },
            "method": { "type": "string" },
            "target": { "type": "string", "examples": ["/table?select=id"] },
            "headers": { "description": "Names in any case.", "type": "object", "properties": fields },
            "key": { "description": "The values of the primary key, in its order.", "type": "array", "items": value, "minItems": 1 },
            "where": { "description": "Columns, and the values that they equal.", "type": "object", "additionalProperties": value },
            "body": { "description": "JSON, or a text if the Content-Type is not JSON. {\"$ref\": ...} in it is replaced by a value." },
            "base64": { "description": "The bytes of the body, in place of it.", "type": "string", "contentEncoding": "base64" }
        },
        "required": ["method", "target"],
        "additionalProperties": false
    });
    let answer = json!({
        "type": "object",
        "properties": {
            "status": { "type": "integer" },
            "headers": { "type": "object", "additionalProperties": { "type": ["string", "array"] } },
            "body": { "description": "JSON, or a text if the Content-Type is not JSON." },
            "base64": { "description": "The bytes of the body, if they are not text.", "type": "string", "contentEncoding": "base64" }
        },
        "required": ["status", "headers"]
    });
    [("rest.batched-request".to_owned(), request), ("rest.batched-answer".to_owned(), answer)].into_iter().collect()
}
