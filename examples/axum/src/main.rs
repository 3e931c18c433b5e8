//! REST requests over axum. DATABASE_URL=postgres://authenticator:PASSWORD@localhost/DATABASE cargo run
use axum::{body, extract::Request, extract::State, http::StatusCode, http::request::Parts, response::Response};
use deadpool_postgres::{Manager, Pool, Runtime};
use serde_json::Value;
use std::{env::var, error::Error, slice::from_ref, time::Duration};

const SERVE: &str = "SELECT status, headers, body FROM restful.serve($1, $2, $3, $4)";
const BODY_LIMIT: usize = 16 * 1024 * 1024; // A larger body is answered with 413.

async fn ask(pool: &Pool, head: &Parts, body: Option<&[u8]>) -> Result<Response, Box<dyn Error + Send + Sync>> {
    let texts = |name| head.headers.get_all(name).iter().map(|text| String::from_utf8_lossy(text.as_bytes()));
    let headers: Value = head.headers.keys().map(|name| (name.as_str(), Value::from_iter(texts(name)))).collect();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let client = pool.get().await?;
    let statement = client.prepare_cached(SERVE).await?;
    let row = client.query_one(&statement, &[&head.method.as_str(), &target, &headers, &body]).await?;
    let mut response = Response::builder().status(row.get::<_, i32>(0) as u16);
    for (name, value) in row.get::<_, Value>(1).as_object().into_iter().flatten() {
        let texts = value.as_array().map_or(from_ref(value), Vec::as_slice).iter();
        response = texts.fold(response, |response, text| response.header(name, text.as_str().unwrap_or_default()));
    }
    // A body that is empty, as after HEAD, would get a Content-Length of 0.
    let none = body::Body::from_stream(futures_util::stream::empty::<Result<Vec<u8>, axum::Error>>());
    Ok(response.body(row.get::<_, Option<Vec<u8>>>(2).map_or(none, body::Body::from))?)
}

async fn serve(State(pool): State<Pool>, request: Request) -> Result<Response, StatusCode> {
    let (head, content) = request.into_parts();
    let content = body::to_bytes(content, BODY_LIMIT).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    ask(&pool, &head, (!content.is_empty()).then_some(&content)).await.map_err(|error| {
        eprintln!("restful.serve: {error}");
        match error.downcast_ref().and_then(tokio_postgres::Error::code).map_or("08006", |code| code.code()) {
            "57014" => StatusCode::GATEWAY_TIMEOUT,
            code if code.starts_with("08") || code.starts_with("57P") => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let manager = Manager::new(var("DATABASE_URL")?.parse()?, tokio_postgres::NoTls);
    let pool = Pool::builder(manager).runtime(Runtime::Tokio1).wait_timeout(Some(Duration::from_secs(5))).build()?;
    let listener = tokio::net::TcpListener::bind(var("LISTEN").unwrap_or("127.0.0.1:3000".to_owned())).await?;
    Ok(axum::serve(listener, axum::Router::new().fallback(serve).with_state(pool)).await?)
}
