--
-- PostgreSQL database dump
--

\restrict QVTym76JDRBoirfNu3feZir0lyhVyxomYxwma7j4xqEqnp2RukFy32KnW3vjvcf

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: audit_log_is_append_only(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.audit_log_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.accounts (
    account_id character varying(40) NOT NULL,
    name character varying(80) NOT NULL,
    client character varying(80) NOT NULL,
    role character varying(20) NOT NULL,
    password_argon2 text NOT NULL,
    epoch integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    failures integer NOT NULL,
    locked_until timestamp with time zone
);


--
-- Name: airspace_changes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.airspace_changes (
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    by character varying(120) NOT NULL,
    action character varying(40) NOT NULL,
    subject character varying(80) NOT NULL,
    reason text NOT NULL,
    version character varying(120) NOT NULL,
    previous_version character varying(120) NOT NULL,
    added json NOT NULL,
    removed json NOT NULL,
    changed json NOT NULL
);


--
-- Name: airspace_changes_seq_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.airspace_changes_seq_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: airspace_changes_seq_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.airspace_changes_seq_seq OWNED BY public.airspace_changes.seq;


--
-- Name: airspace_feeds; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.airspace_feeds (
    feed_id character varying(40) NOT NULL,
    file_format character varying(20) NOT NULL,
    content bytea NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    changed_by character varying(120) NOT NULL
);


--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: api_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_keys (
    key_id character varying(40) NOT NULL,
    client character varying(80) NOT NULL,
    name character varying(120) NOT NULL,
    secret_sha256 character varying(64) NOT NULL,
    scopes json NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    expires_at timestamp with time zone,
    previous_sha256 character varying(64),
    previous_until timestamp with time zone
);


--
-- Name: audit_log; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_log (
    seq integer NOT NULL,
    at character varying(40) NOT NULL,
    actor_kind character varying(20) NOT NULL,
    actor_id character varying(120) NOT NULL,
    client character varying(80),
    action character varying(60) NOT NULL,
    subject character varying(200) NOT NULL,
    before_sha256 character varying(64),
    after_sha256 character varying(64),
    detail text NOT NULL,
    previous_hash character varying(64) NOT NULL,
    hash character varying(64) NOT NULL
);


--
-- Name: authorisations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.authorisations (
    authorisation_id character varying(80) NOT NULL,
    document json NOT NULL,
    given_at timestamp with time zone NOT NULL,
    given_by character varying(120) NOT NULL
);


--
-- Name: callbacks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.callbacks (
    seq integer NOT NULL,
    order_id character varying(40) NOT NULL,
    event_seq integer NOT NULL,
    url text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    last_error character varying(300),
    delivered_at timestamp with time zone,
    failed_at timestamp with time zone,
    replays integer NOT NULL
);


--
-- Name: callbacks_seq_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.callbacks_seq_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: callbacks_seq_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.callbacks_seq_seq OWNED BY public.callbacks.seq;


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    seq integer NOT NULL,
    message_id character varying(80) NOT NULL,
    at timestamp with time zone NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    kind character varying(60) NOT NULL,
    order_id character varying(40),
    mission_id character varying(40),
    flight_id character varying(40),
    drone_id character varying(80),
    state character varying(20),
    detail text NOT NULL,
    detail_zh text NOT NULL,
    data json NOT NULL
);


--
-- Name: events_seq_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.events_seq_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: events_seq_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.events_seq_seq OWNED BY public.events.seq;


--
-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency_keys (
    client character varying(80) NOT NULL,
    key character varying(200) NOT NULL,
    body_sha256 character varying(64) NOT NULL,
    order_id character varying(40) NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: missions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.missions (
    mission_id character varying(40) NOT NULL,
    order_id character varying(40) NOT NULL,
    attempt integer NOT NULL,
    flight_id character varying(40) NOT NULL,
    drone_id character varying(80) NOT NULL,
    station_id character varying(80) NOT NULL,
    landing_point_id character varying(80) NOT NULL,
    plan json NOT NULL,
    command_id character varying(40) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    phase character varying(40),
    accepted_at timestamp with time zone,
    airborne_at timestamp with time zone,
    aed_on_ground_at timestamp with time zone,
    lost_at timestamp with time zone,
    ended_at timestamp with time zone,
    safe_state character varying(40),
    end_reason text
);


--
-- Name: orders; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.orders (
    order_id character varying(40) NOT NULL,
    client character varying(80) NOT NULL,
    state character varying(20) NOT NULL,
    version integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    request json NOT NULL,
    latitude_deg double precision NOT NULL,
    longitude_deg double precision NOT NULL,
    severity character varying(8) NOT NULL,
    mission_id character varying(40),
    decision json,
    decided_at timestamp with time zone,
    airborne_at timestamp with time zone,
    aed_on_ground_at timestamp with time zone,
    finished_at timestamp with time zone,
    personal text,
    personal_erased_at timestamp with time zone
);


--
-- Name: outbox; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.outbox (
    seq integer NOT NULL,
    message_id character varying(40) NOT NULL,
    subject character varying(200) NOT NULL,
    payload text NOT NULL,
    kind character varying(60) NOT NULL,
    drone_id character varying(80) NOT NULL,
    mission_id character varying(40),
    created_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone,
    publications integer NOT NULL,
    settled_at timestamp with time zone,
    outcome character varying(40)
);


--
-- Name: outbox_seq_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.outbox_seq_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: outbox_seq_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.outbox_seq_seq OWNED BY public.outbox.seq;


--
-- Name: reservations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.reservations (
    drone_id character varying(80) NOT NULL,
    mission_id character varying(40) NOT NULL,
    since timestamp with time zone NOT NULL
);


--
-- Name: revocations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.revocations (
    authorisation_id character varying(80) NOT NULL,
    revoked_at timestamp with time zone NOT NULL,
    revoked_by character varying(120) NOT NULL,
    reason text NOT NULL
);


--
-- Name: webhook_secrets; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_secrets (
    secret_id character varying(40) NOT NULL,
    client character varying(80) NOT NULL,
    sealed text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_until timestamp with time zone
);


--
-- Name: airspace_changes seq; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.airspace_changes ALTER COLUMN seq SET DEFAULT nextval('public.airspace_changes_seq_seq'::regclass);


--
-- Name: callbacks seq; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.callbacks ALTER COLUMN seq SET DEFAULT nextval('public.callbacks_seq_seq'::regclass);


--
-- Name: events seq; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events ALTER COLUMN seq SET DEFAULT nextval('public.events_seq_seq'::regclass);


--
-- Name: outbox seq; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox ALTER COLUMN seq SET DEFAULT nextval('public.outbox_seq_seq'::regclass);


--
-- Data for Name: accounts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.accounts VALUES ('acc_01KJM6JM008GQ741755PS246JR', 'li.na', 'shenzhen-120', 'dispatcher', '$argon2id$v=19$m=65536,t=3,p=4$SaXyFyI7/SdKwJ/SsYXxVA$QC7l4qLuLx9rwzTZ/sFZoH0u0MQwKdg+UTm2+xUOA84', 1, '2026-03-01 08:00:00+00', NULL, 0, NULL);


--
-- Data for Name: airspace_changes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.airspace_changes VALUES (1, '2026-03-01 08:00:00+00', 'demo', 'feed_put', 'city', 'festival', 'test-1.1', 'test-1', '["BA-STAD"]', '[]', '[]');
INSERT INTO public.airspace_changes VALUES (2, '2026-03-01 08:00:00+00', 'demo', 'authorisation_given', 'auth-stadium-2026', 'approval received by letter', 'test-1.2', 'test-1.1', '[]', '[]', '[]');


--
-- Data for Name: airspace_feeds; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.airspace_feeds VALUES ('city', 'geojson', '\x7b2274797065223a202246656174757265436f6c6c656374696f6e222c20226665617475726573223a205b7b2274797065223a202246656174757265222c202267656f6d65747279223a207b2274797065223a2022506f6c79676f6e222c2022636f6f7264696e61746573223a205b5b5b3131332e38372c2032322e35355d2c205b3131332e3837322c2032322e35355d2c205b3131332e3837322c2032322e3535325d2c205b3131332e38372c2032322e3535325d2c205b3131332e38372c2032322e35355d5d5d7d2c202270726f70657274696573223a207b226964656e746966696572223a202242412d53544144222c20227265737472696374696f6e223a20225245515f415554484f5249534154494f4e222c20226e616d65223a202242412d53544144227d7d5d7d', '2026-03-01 08:00:00+00', 'demo');


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES ('0011');


--
-- Data for Name: api_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.api_keys VALUES ('key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'well-known demo key', 'b778a51f7b22483c960e9b4fb4ed18dbc0b5ee65b5587dd902f4d64135b1e128', '["admin"]', '2026-03-01 08:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.api_keys VALUES ('key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'centre', 'd775c6dea0dca277857db5f0a890fe36f5378408683a6f0f9c0dbc75b0d7e365', '["orders:read", "orders:write", "personal:read", "webhooks:manage"]', '2026-03-01 08:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.api_keys VALUES ('key_01KJM6JM0038NZ3ZA2MABNBN61', 'sensors', 'wind', 'aecaa6ef3d5cf94b29bde49675e6a4791ddc50185dad9cc7b3b94af9f0b733f5', '["weather:write"]', '2026-03-01 08:00:00+00', NULL, NULL, NULL, NULL);


--
-- Data for Name: audit_log; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_log VALUES (1, '2026-03-01T08:00:00+00:00', 'hub', 'hub', NULL, 'demo_key_created', 'key_01KJM6JM00V3RS3DTR98H6BCFN', NULL, '93d439a17e7905a9ee9aeba9265060509f8d2489d81330258f021a4db0917ade', '{}', '0000000000000000000000000000000000000000000000000000000000000000', '7c191a8c49de9f9d5bbf96983dca85c64e61d4b5449626f41e67baee22f8a601');
INSERT INTO public.audit_log VALUES (2, '2026-03-01T08:00:00+00:00', 'machine', 'key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'account_created', 'acc_01KJM6JM008GQ741755PS246JR', NULL, '69a735f892c36e362883a56703468292589285000f02185004cdee58984d0cfb', '{"client":"shenzhen-120","role":"dispatcher"}', '7c191a8c49de9f9d5bbf96983dca85c64e61d4b5449626f41e67baee22f8a601', '9886481c441b6672b7f4a005a4233ce5e3514eeafe351eb1a151a75213bffabc');
INSERT INTO public.audit_log VALUES (3, '2026-03-01T08:00:00+00:00', 'machine', 'key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'key_created', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', NULL, '96adeb945c3c7333b82a897b9cf2660d5319edef703a8f531b8eeed18cb8badd', '{"client":"shenzhen-120","scopes":["orders:read","orders:write","personal:read","webhooks:manage"]}', '9886481c441b6672b7f4a005a4233ce5e3514eeafe351eb1a151a75213bffabc', '19aca8b4e645910dfad0e76701d442f9cb388cfd6bd857158ccfad4062a2135b');
INSERT INTO public.audit_log VALUES (4, '2026-03-01T08:00:00+00:00', 'machine', 'key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'key_created', 'key_01KJM6JM0038NZ3ZA2MABNBN61', NULL, 'cebd398966c62335b45f843e3fcf5348fc40a76a806047cb27d50ca9f62a4b1f', '{"client":"sensors","scopes":["weather:write"]}', '19aca8b4e645910dfad0e76701d442f9cb388cfd6bd857158ccfad4062a2135b', 'd908ddc3e95e4ae12985790b4092869a22d7ac287ae45e07adb3faab3f0561fb');
INSERT INTO public.audit_log VALUES (5, '2026-03-01T08:00:00+00:00', 'machine', 'key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'airspace.feed_put', 'city', '887a83b78786d8c8dbb08c107ea3c46a1e4bc22bf0dee9ed584c6c5e2b147cbd', '1e43e7b1dc4327e591cd5c3ad08b84f6ba75380b687e6f0fc3b3dfeb633fc4c5', '{"reason":"festival","seq":1,"version":"test-1.1"}', 'd908ddc3e95e4ae12985790b4092869a22d7ac287ae45e07adb3faab3f0561fb', 'b652f7b01d6dc0193f3f2c3eb143c11a79ddd0cb0903858ce2167730bbad7860');
INSERT INTO public.audit_log VALUES (6, '2026-03-01T08:00:00+00:00', 'machine', 'key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'airspace.authorisation_given', 'auth-stadium-2026', '1e43e7b1dc4327e591cd5c3ad08b84f6ba75380b687e6f0fc3b3dfeb633fc4c5', '1f3fc4ce2b2dfbfdc5ce0620f5653f94b82eb6528b476a061381ca6688031b02', '{"reason":"approval received by letter","seq":2,"version":"test-1.2"}', 'b652f7b01d6dc0193f3f2c3eb143c11a79ddd0cb0903858ce2167730bbad7860', '38f761a5df933e3814b59795fd218bab34f25b9ec540b62f0a654b7843bd0777');
INSERT INTO public.audit_log VALUES (7, '2026-03-01T08:00:00+00:00', 'machine', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'order_received', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', NULL, 'dd20bf1ec028a76d07d6d413fb4b2306a8733dfa783f6c5f8fbe49d5bf2909b6', '{"decision_sha256":null,"event":1,"state":"RECEIVED"}', '38f761a5df933e3814b59795fd218bab34f25b9ec540b62f0a654b7843bd0777', '1b99697daa611dea6f4f320108c465a530a488e52fd6b6a56d19012c9d4bfa4a');
INSERT INTO public.audit_log VALUES (8, '2026-03-01T08:00:00+00:00', 'machine', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'decision_accepted', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'dd20bf1ec028a76d07d6d413fb4b2306a8733dfa783f6c5f8fbe49d5bf2909b6', 'e952b988b99cfc99035a46e4ba0f2af72385ec06c4b1afdd731882229f2981fc', '{"decision_sha256":"e8b1f20ee963b931534948a13b97a360c3e3dcccab2bba24d461b2afe880be09","event":2,"state":"DECIDED"}', '1b99697daa611dea6f4f320108c465a530a488e52fd6b6a56d19012c9d4bfa4a', '421a14962e7283dd2658ca472bdd13854a9c5ae3f77480dcfab1f681843ebca6');
INSERT INTO public.audit_log VALUES (9, '2026-03-01T08:00:00+00:00', 'hub', 'hub', NULL, 'webhook_secret_rotated', 'shenzhen-120', NULL, 'e30a9c15cbdb31c7fa5dfcf6207135564b8188c2ed67d0c446e886297dbcc34f', '{"grace_s":0.0,"secret_id":"whs_01KJM6JM00HP47XVCD2KR6TFZF"}', '421a14962e7283dd2658ca472bdd13854a9c5ae3f77480dcfab1f681843ebca6', '27fac552f9fbaed632eb5dbf5e70ba9cd359e0066bc5941c3ab56d9ae502c169');
INSERT INTO public.audit_log VALUES (10, '2026-03-01T08:00:00+00:00', 'hub', 'hub', NULL, 'command_accepted', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'e952b988b99cfc99035a46e4ba0f2af72385ec06c4b1afdd731882229f2981fc', '68704ca07c71ea175a26c08980178cdfc603bcf392318545f6eecebbb2325605', '{"event":3,"state":"LAUNCHING"}', '27fac552f9fbaed632eb5dbf5e70ba9cd359e0066bc5941c3ab56d9ae502c169', '3ec4e816bc614d6d91aad7ca4a18843f60f3b65a9cf39a78f3550e075d5edbdd');
INSERT INTO public.audit_log VALUES (11, '2026-03-01T08:00:30+00:00', 'hub', 'hub', NULL, 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', '68704ca07c71ea175a26c08980178cdfc603bcf392318545f6eecebbb2325605', '331657672eec068d498a84e1fa6a5003f0f0392285e2950a54dc97c07a58bca2', '{"event":7,"state":"AIRBORNE"}', '3ec4e816bc614d6d91aad7ca4a18843f60f3b65a9cf39a78f3550e075d5edbdd', '94d1481e2e4febcf6a2576662c6993da16498d0c2ac91542e82ecb087eaf7da0');
INSERT INTO public.audit_log VALUES (12, '2026-03-01T08:01:00+00:00', 'hub', 'hub', NULL, 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', '331657672eec068d498a84e1fa6a5003f0f0392285e2950a54dc97c07a58bca2', '9e7ef973401bde7d1b6f6288c67e4e877290baee35992e11ddcd39f6ed927bfa', '{"event":10,"state":"DELIVERING"}', '94d1481e2e4febcf6a2576662c6993da16498d0c2ac91542e82ecb087eaf7da0', '3f047ea000240d97719350c1fe2c1f5bcd007e083f66c13d38972a92031fb731');
INSERT INTO public.audit_log VALUES (13, '2026-03-01T08:01:20+00:00', 'hub', 'hub', NULL, 'aed_on_ground', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', '9e7ef973401bde7d1b6f6288c67e4e877290baee35992e11ddcd39f6ed927bfa', 'b243ee8fba538f3ee3b5ae2eea0bf6f96baf6fe1144353710cbb3ed9333e76e6', '{"event":14,"state":"DELIVERED"}', '3f047ea000240d97719350c1fe2c1f5bcd007e083f66c13d38972a92031fb731', '461a9a1fecabbfe3ec6cdb154b2b4f0be8a469895956623d7d20c407e654547a');
INSERT INTO public.audit_log VALUES (14, '2026-03-01T08:01:20+00:00', 'hub', 'hub', NULL, 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'b243ee8fba538f3ee3b5ae2eea0bf6f96baf6fe1144353710cbb3ed9333e76e6', '2bc0da09d338efb9e987806da9e5b81c59e55a6f78ccfedc34e709f631fb4026', '{"event":15,"state":"RETURNING"}', '461a9a1fecabbfe3ec6cdb154b2b4f0be8a469895956623d7d20c407e654547a', '558d422f089418505768e4b259b559f18450f36a0c3889722657cfc17c610c2f');
INSERT INTO public.audit_log VALUES (15, '2026-03-01T08:01:40+00:00', 'hub', 'hub', NULL, 'flight_ended', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', '2bc0da09d338efb9e987806da9e5b81c59e55a6f78ccfedc34e709f631fb4026', '4c10e5e48758ed4b83605105cf2cc083de34090d66e5b9044d53094cf4df5e9c', '{"event":18,"state":"CLOSED"}', '558d422f089418505768e4b259b559f18450f36a0c3889722657cfc17c610c2f', '15604789e86284edd5148d61d602d76119afb7cf8d3ed34ef494309434e1bed8');
INSERT INTO public.audit_log VALUES (16, '2026-03-01T08:01:40+00:00', 'machine', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'order_received', 'ord_01KJM6NNN0FBR0HNNFAZD72528', NULL, 'd6d5874590ebe40a0a3cc14359954c5dab0dfec5232135eaa8b6d400ad2013d8', '{"decision_sha256":null,"event":19,"state":"RECEIVED"}', '15604789e86284edd5148d61d602d76119afb7cf8d3ed34ef494309434e1bed8', '756f40ef3b94ac3e5ed2f17306e18a3796249d5c489a66511e065cf76e7915e6');
INSERT INTO public.audit_log VALUES (17, '2026-03-01T08:01:40+00:00', 'machine', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'decision_accepted', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'd6d5874590ebe40a0a3cc14359954c5dab0dfec5232135eaa8b6d400ad2013d8', '6e0d67a16d765e2dcd6b49e5ed8556d0c5f3cb70e2c79502c4b327f0d7ec44ad', '{"decision_sha256":"6b39bedbdb4603d2435cd25cbb7006740601594be21f6ddac18a0549ddc1ed90","event":21,"state":"DECIDED"}', '756f40ef3b94ac3e5ed2f17306e18a3796249d5c489a66511e065cf76e7915e6', '043cd52244963a051777a79d66035a9f166377d76b977e28b0d63037bf492b12');
INSERT INTO public.audit_log VALUES (18, '2026-03-01T08:01:40+00:00', 'machine', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'cancel_requested', 'ord_01KJM6NNN0FBR0HNNFAZD72528', '6e0d67a16d765e2dcd6b49e5ed8556d0c5f3cb70e2c79502c4b327f0d7ec44ad', '0eebcde7b2e6ee59fc1b0691cc71a6d26b94e80d24e3322122c060cc1b16924e', '{"event":22,"state":"CANCELLING"}', '043cd52244963a051777a79d66035a9f166377d76b977e28b0d63037bf492b12', '703dc68f2a7ab416e4c3c7e72872fd63f5c350d3febb48d2224a629c21b24256');
INSERT INTO public.audit_log VALUES (19, '2026-03-01T08:01:40+00:00', 'hub', 'hub', NULL, 'flight_ended', 'ord_01KJM6NNN0FBR0HNNFAZD72528', '0eebcde7b2e6ee59fc1b0691cc71a6d26b94e80d24e3322122c060cc1b16924e', '347b4e5152dd15d045bdd5a03e6f67375868ad50829d78b04400f156c446c956', '{"event":28,"state":"CANCELLED"}', '703dc68f2a7ab416e4c3c7e72872fd63f5c350d3febb48d2224a629c21b24256', 'a728f8992cca63363ff1f2ec283fed386f5d5a738064c2d440424d6c6348c34b');
INSERT INTO public.audit_log VALUES (20, '2026-03-01T08:02:40+00:00', 'machine', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'order_received', 'ord_01KJM6QG806C9WAG817M1JCCJD', NULL, '4c0604b7aa2d96a7ab15c530a24caabb8148e9a109142f7198e9f9714882223c', '{"decision_sha256":null,"event":30,"state":"RECEIVED"}', 'a728f8992cca63363ff1f2ec283fed386f5d5a738064c2d440424d6c6348c34b', '20c8eefd05ba10dbdd48243bf42ab7b6dd936a1d34e496e323648abed0d1043f');
INSERT INTO public.audit_log VALUES (21, '2026-03-01T08:02:40+00:00', 'machine', 'key_01KJM6JM007A8CTH3Y6PWBDP7Y', 'shenzhen-120', 'decision_accepted', 'ord_01KJM6QG806C9WAG817M1JCCJD', '4c0604b7aa2d96a7ab15c530a24caabb8148e9a109142f7198e9f9714882223c', '8f6978536326369f5249c56be8959239a42db1602a19ba1c8f38d6e3fe9f7c08', '{"decision_sha256":"06656d01f2603dc5892274f956ae0130b89f2669182869664f0719b2ad061f7a","event":31,"state":"DECIDED"}', '20c8eefd05ba10dbdd48243bf42ab7b6dd936a1d34e496e323648abed0d1043f', '2a7c0ebcf25c5651e54e61d5565e29032ffb7002ce9cf21df1db6474e7071588');
INSERT INTO public.audit_log VALUES (22, '2026-03-01T08:02:40+00:00', 'hub', 'hub', NULL, 'command_accepted', 'ord_01KJM6QG806C9WAG817M1JCCJD', '8f6978536326369f5249c56be8959239a42db1602a19ba1c8f38d6e3fe9f7c08', '1fcf46b4ff1448c518c87b5a932c0033874ae8a21aab35f4afa1487d52ac9572', '{"event":32,"state":"LAUNCHING"}', '2a7c0ebcf25c5651e54e61d5565e29032ffb7002ce9cf21df1db6474e7071588', '492eff0d9f46202ad6e172aeb424a651be24a89cd6377f948e467ef8c5dd8016');
INSERT INTO public.audit_log VALUES (23, '2026-03-01T08:03:10+00:00', 'hub', 'hub', NULL, 'phase_changed', 'ord_01KJM6QG806C9WAG817M1JCCJD', '1fcf46b4ff1448c518c87b5a932c0033874ae8a21aab35f4afa1487d52ac9572', 'ebd5d95dd379d59ae2d29fe690ca646ec67d6876b488e773bb25180c9a1bdb2b', '{"event":36,"state":"AIRBORNE"}', '492eff0d9f46202ad6e172aeb424a651be24a89cd6377f948e467ef8c5dd8016', '703c04a687aa4ebb731fbf96b3b6d4ea95de20fecaf364ff9fa048252a3fd14f');
INSERT INTO public.audit_log VALUES (24, '2026-03-01T08:03:10+00:00', 'machine', 'key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'personal_data_erased', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'f6d007be77014656c5a0c3131c34d24b4c2c32a8d92b57cd4e37aa35098c51e4', NULL, '{}', '703c04a687aa4ebb731fbf96b3b6d4ea95de20fecaf364ff9fa048252a3fd14f', '360d82d508584490cd80b97d6a0665350d1476761b6d0d33534a1ff7de620913');
INSERT INTO public.audit_log VALUES (25, '2026-03-01T08:03:10+00:00', 'machine', 'key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'personal_data_erased', 'ord_01KJM6NNN0FBR0HNNFAZD72528', '1cbdf0d00a8de90ccf1bfdb66eaac1a18148d3296cceedc7e4f7aa324668ce09', NULL, '{}', '360d82d508584490cd80b97d6a0665350d1476761b6d0d33534a1ff7de620913', '964ca3e014dcdae95a3af0e39a78fed19b8db6ec71e2398581b1e8ade2c67c21');


--
-- Data for Name: authorisations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.authorisations VALUES ('auth-stadium-2026', '{"authorisation_id": "auth-stadium-2026", "authority": "Shenzhen Air Traffic Management", "lower": 60, "lower_reference": "AGL", "number": "SZ-2026-118", "upper": 120, "upper_reference": "AGL", "valid_from": "2026-11-01T00:00:00+08:00", "valid_until": "2026-12-31T23:59:59+08:00", "zone_ids": ["BA-STAD"]}', '2026-03-01 08:00:00+00', 'demo');


--
-- Data for Name: callbacks; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.callbacks VALUES (1, 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 2, 'https://centre.example/cb', '{"event_id":"2","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","incident_reference":"BA-1","state":"DECIDED","kind":"decision_accepted","at":"2026-03-01T08:00:00+00:00","detail":"bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s","detail_zh":"bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者","order_url":"/v1/orders/ord_01KJM6JM000ZA52GRHJFKC7WSS"}', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 1, NULL, '2026-03-01 08:00:00+00', NULL, 0);
INSERT INTO public.callbacks VALUES (2, 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 3, 'https://centre.example/cb', '{"event_id":"3","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","incident_reference":"BA-1","state":"LAUNCHING","kind":"command_accepted","at":"2026-03-01T08:00:00+00:00","detail":"bao-01 accepted the flight","detail_zh":"bao-01 已接受飞行任务","order_url":"/v1/orders/ord_01KJM6JM000ZA52GRHJFKC7WSS"}', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 1, NULL, '2026-03-01 08:00:00+00', NULL, 0);
INSERT INTO public.callbacks VALUES (3, 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 7, 'https://centre.example/cb', '{"event_id":"7","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","incident_reference":"BA-1","state":"AIRBORNE","kind":"phase_changed","at":"2026-03-01T08:00:30+00:00","detail":"The drone climbs from its pad","detail_zh":"无人机起飞爬升","order_url":"/v1/orders/ord_01KJM6JM000ZA52GRHJFKC7WSS"}', '2026-03-01 08:00:30+00', '2026-03-01 08:00:30+00', 1, NULL, '2026-03-01 08:00:30+00', NULL, 0);
INSERT INTO public.callbacks VALUES (4, 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 10, 'https://centre.example/cb', '{"event_id":"10","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","incident_reference":"BA-1","state":"DELIVERING","kind":"phase_changed","at":"2026-03-01T08:01:00+00:00","detail":"The AED is being lowered: keep clear","detail_zh":"正在下放 AED，请勿靠近","order_url":"/v1/orders/ord_01KJM6JM000ZA52GRHJFKC7WSS"}', '2026-03-01 08:01:00+00', '2026-03-01 08:01:00+00', 1, NULL, '2026-03-01 08:01:00+00', NULL, 0);
INSERT INTO public.callbacks VALUES (5, 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 14, 'https://centre.example/cb', '{"event_id":"14","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","incident_reference":"BA-1","state":"DELIVERED","kind":"aed_on_ground","at":"2026-03-01T08:01:20+00:00","detail":"The AED is on the ground and may be approached","detail_zh":"AED 已送达地面，可以取用","order_url":"/v1/orders/ord_01KJM6JM000ZA52GRHJFKC7WSS"}', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 1, NULL, '2026-03-01 08:01:20+00', NULL, 0);
INSERT INTO public.callbacks VALUES (6, 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 15, 'https://centre.example/cb', '{"event_id":"15","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","incident_reference":"BA-1","state":"RETURNING","kind":"phase_changed","at":"2026-03-01T08:01:20+00:00","detail":"The drone flies home","detail_zh":"无人机返航","order_url":"/v1/orders/ord_01KJM6JM000ZA52GRHJFKC7WSS"}', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 1, NULL, '2026-03-01 08:01:20+00', NULL, 0);
INSERT INTO public.callbacks VALUES (7, 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 18, 'https://centre.example/cb', '{"event_id":"18","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","incident_reference":"BA-1","state":"CLOSED","kind":"flight_ended","at":"2026-03-01T08:01:40+00:00","detail":"The flight is over: it is back on its pad; the AED was released","detail_zh":"飞行结束：已返回停机坪；AED 已释放","order_url":"/v1/orders/ord_01KJM6JM000ZA52GRHJFKC7WSS"}', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 1, NULL, '2026-03-01 08:01:40+00', NULL, 0);
INSERT INTO public.callbacks VALUES (8, 'ord_01KJM6NNN0FBR0HNNFAZD72528', 21, 'https://broken.example/cb', '{"event_id":"21","order_id":"ord_01KJM6NNN0FBR0HNNFAZD72528","incident_reference":"BA-1","state":"DECIDED","kind":"decision_accepted","at":"2026-03-01T08:01:40+00:00","detail":"bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s","detail_zh":"bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者","order_url":"/v1/orders/ord_01KJM6NNN0FBR0HNNFAZD72528"}', '2026-03-01 08:01:40+00', '2026-03-01 08:01:43+00', 2, 'status 500', NULL, '2026-03-01 08:01:41+00', 0);
INSERT INTO public.callbacks VALUES (9, 'ord_01KJM6NNN0FBR0HNNFAZD72528', 22, 'https://broken.example/cb', '{"event_id":"22","order_id":"ord_01KJM6NNN0FBR0HNNFAZD72528","incident_reference":"BA-1","state":"CANCELLING","kind":"cancel_requested","at":"2026-03-01T08:01:40+00:00","detail":"The centre cancelled the order: ambulance on scene","detail_zh":"调度中心取消订单：ambulance on scene","order_url":"/v1/orders/ord_01KJM6NNN0FBR0HNNFAZD72528"}', '2026-03-01 08:01:40+00', '2026-03-01 08:01:44+00', 2, 'status 500', NULL, '2026-03-01 08:01:42+00', 0);
INSERT INTO public.callbacks VALUES (10, 'ord_01KJM6NNN0FBR0HNNFAZD72528', 28, 'https://broken.example/cb', '{"event_id":"28","order_id":"ord_01KJM6NNN0FBR0HNNFAZD72528","incident_reference":"BA-1","state":"CANCELLED","kind":"flight_ended","at":"2026-03-01T08:01:40+00:00","detail":"The flight is over: it never left the ground; the AED is on board","detail_zh":"飞行结束：未起飞；AED 仍在机上","order_url":"/v1/orders/ord_01KJM6NNN0FBR0HNNFAZD72528"}', '2026-03-01 08:01:40+00', '2026-03-01 08:01:45+00', 2, 'status 500', NULL, '2026-03-01 08:01:43+00', 0);


--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES (1, 'evt_01KJM6JM00MS40D0WYQ42VDSQ3', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'order_received', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', NULL, NULL, NULL, 'RECEIVED', 'The order is stored', '订单已接收并保存', '{}');
INSERT INTO public.events VALUES (2, 'evt_01KJM6JM00E0CW70F8HWWC1J7X', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'decision_accepted', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'DECIDED', 'bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s', 'bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者', '{"eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "take_off_delay_s": 0.0}');
INSERT INTO public.events VALUES (3, 'evt_01KJM6JM007CD5GZYJG0XTPV1S', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'command_accepted', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'LAUNCHING', 'bao-01 accepted the flight', 'bao-01 已接受飞行任务', '{"event_id": "evt_01KJM6JM007CD5GZYJG0XTPV1S", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:00:00Z", "command_id": "cmd_01KJM6JM00DG7ZG4RC88VQ63PZ", "command_kind": "fly_mission", "kind": "command_accepted"}');
INSERT INTO public.events VALUES (4, 'evt_01KJM6JM00RB6KG0G8N6PMBWHX', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'LAUNCHING', 'The drone checks itself and takes the mission', '无人机自检并接收航线', '{"event_id": "evt_01KJM6JM00RB6KG0G8N6PMBWHX", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:00:00Z", "phase": "preparing", "previous": "standby", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (5, 'evt_01KJM6JXRG98QZ7HJAYXTTH4MM', '2026-03-01 08:00:10+00', '2026-03-01 08:00:10+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'LAUNCHING', 'The drone is being armed', '无人机解锁中', '{"event_id": "evt_01KJM6JXRG98QZ7HJAYXTTH4MM", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:00:10Z", "phase": "arming", "previous": "preparing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (6, 'evt_01KJM6K7H0DA50B02SEQPJZ2ES', '2026-03-01 08:00:20+00', '2026-03-01 08:00:20+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'LAUNCHING', 'Motors run, take-off is commanded', '电机已启动，准备起飞', '{"event_id": "evt_01KJM6K7H0DA50B02SEQPJZ2ES", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:00:20Z", "phase": "armed", "previous": "arming", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (7, 'evt_01KJM6KH9GHSSYN458Y3B6Q0MY', '2026-03-01 08:00:30+00', '2026-03-01 08:00:30+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'AIRBORNE', 'The drone climbs from its pad', '无人机起飞爬升', '{"event_id": "evt_01KJM6KH9GHSSYN458Y3B6Q0MY", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:00:30Z", "phase": "climbing", "previous": "armed", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (8, 'evt_01KJM6KV2036CT8VB7AFP1935M', '2026-03-01 08:00:40+00', '2026-03-01 08:00:40+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'AIRBORNE', 'The drone is on its way to the landing point', '无人机飞往投送点', '{"event_id": "evt_01KJM6KV2036CT8VB7AFP1935M", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:00:40Z", "phase": "outbound", "previous": "climbing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (9, 'evt_01KJM6M4TGZRBT27A5K8QSF3C7', '2026-03-01 08:00:50+00', '2026-03-01 08:00:50+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'AIRBORNE', 'The drone hovers over the landing point', '无人机在投送点上空悬停', '{"event_id": "evt_01KJM6M4TGZRBT27A5K8QSF3C7", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:00:50Z", "phase": "hovering", "previous": "outbound", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (10, 'evt_01KJM6MEK09FGDR9BMQPWM0SZD', '2026-03-01 08:01:00+00', '2026-03-01 08:01:00+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'DELIVERING', 'The AED is being lowered: keep clear', '正在下放 AED，请勿靠近', '{"event_id": "evt_01KJM6MEK09FGDR9BMQPWM0SZD", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:00Z", "phase": "lowering", "previous": "hovering", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (11, 'evt_01KJM6MRBGAMNVWFPW18FF597G', '2026-03-01 08:01:10+00', '2026-03-01 08:01:10+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'DELIVERING', 'The AED is at the ground and is being released', 'AED 已到地面，正在释放', '{"event_id": "evt_01KJM6MRBGAMNVWFPW18FF597G", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:10Z", "phase": "releasing", "previous": "lowering", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (12, 'evt_01KJM6N240Z4KVHCSKN3JM8VEM', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'aed_released', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'DELIVERING', 'The drone confirmed the release of the AED', '无人机确认 AED 已释放', '{"event_id": "evt_01KJM6N240Z4KVHCSKN3JM8VEM", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:20Z", "position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "evidence": [{"source": "WINCH_STATUS", "observed": "released", "at": "2026-03-01T08:01:20Z"}], "kind": "aed_released"}');
INSERT INTO public.events VALUES (13, 'evt_01KJM6N240XYX80D38PTV11AFQ', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'DELIVERING', 'The AED is released, the line comes up', 'AED 已释放，正在收线', '{"event_id": "evt_01KJM6N240XYX80D38PTV11AFQ", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:20Z", "phase": "retracting", "previous": "releasing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (14, 'evt_01KJM6N240G7WPR3SMB7VSP5XE', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'aed_on_ground', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'DELIVERED', 'The AED is on the ground and may be approached', 'AED 已送达地面，可以取用', '{"event_id": "evt_01KJM6N240G7WPR3SMB7VSP5XE", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:20Z", "position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "line_height_agl_m": 5.0, "evidence": [{"source": "WINCH_STATUS", "observed": "released", "at": "2026-03-01T08:01:20Z"}], "kind": "aed_on_ground"}');
INSERT INTO public.events VALUES (15, 'evt_01KJM6N240NECYJ0F3BKA7TE0D', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'RETURNING', 'The drone flies home', '无人机返航', '{"event_id": "evt_01KJM6N240NECYJ0F3BKA7TE0D", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:20Z", "phase": "inbound", "previous": "retracting", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (16, 'evt_01KJM6NBWG92Z4VACF3MR9KZFN', '2026-03-01 08:01:30+00', '2026-03-01 08:01:30+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'RETURNING', 'The drone lands', '无人机降落中', '{"event_id": "evt_01KJM6NBWG92Z4VACF3MR9KZFN", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:30Z", "phase": "landing", "previous": "inbound", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (17, 'evt_01KJM6NNN0W7NFJD0WD2B6QBN1', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'RETURNING', 'The flight is over', '飞行结束', '{"event_id": "evt_01KJM6NNN0W7NFJD0WD2B6QBN1", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:40Z", "phase": "ended", "previous": "landing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (18, 'evt_01KJM6NNN0Y3FXH834VXZXCC8P', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'flight_ended', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'CLOSED', 'The flight is over: it is back on its pad; the AED was released', '飞行结束：已返回停机坪；AED 已释放', '{"event_id": "evt_01KJM6NNN0Y3FXH834VXZXCC8P", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "at": "2026-03-01T08:01:40Z", "safe_state": "on_pad", "reason": "", "aed": "released", "position": null, "charge_fraction": null, "kind": "flight_ended"}');
INSERT INTO public.events VALUES (19, 'evt_01KJM6NNN0SGHBWS91SGZ28D73', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'order_received', 'ord_01KJM6NNN0FBR0HNNFAZD72528', NULL, NULL, NULL, 'RECEIVED', 'The order is stored', '订单已接收并保存', '{}');
INSERT INTO public.events VALUES (20, 'evt_01KJM6NNN0JV469CPJQJ0NMHY5', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', NULL, NULL, NULL, 'bao-01', NULL, 'The drone stands by', '无人机待命', '{"event_id": "evt_01KJM6NNN0JV469CPJQJ0NMHY5", "drone_id": "bao-01", "flight_id": null, "at": "2026-03-01T08:01:40Z", "phase": "standby", "previous": "ended", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (21, 'evt_01KJM6NNN0N7P70QYA2RB25FBS', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'decision_accepted', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'DECIDED', 'bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s', 'bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者', '{"eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "take_off_delay_s": 0.0}');
INSERT INTO public.events VALUES (22, 'evt_01KJM6NNN0FNE5XPMJV1JARQDS', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'cancel_requested', 'ord_01KJM6NNN0FBR0HNNFAZD72528', NULL, NULL, NULL, 'CANCELLING', 'The centre cancelled the order: ambulance on scene', '调度中心取消订单：ambulance on scene', '{"reason": "ambulance on scene"}');
INSERT INTO public.events VALUES (23, 'evt_01KJM6NNN0RX41Q8B22P12GF8N', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'command_accepted', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'CANCELLING', 'bao-01 accepted the flight', 'bao-01 已接受飞行任务', '{"event_id": "evt_01KJM6NNN0RX41Q8B22P12GF8N", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0BZPBSYXGA2PAP6KB", "at": "2026-03-01T08:01:40Z", "command_id": "cmd_01KJM6NNN0RTEV7YKTMZGZNEEQ", "command_kind": "fly_mission", "kind": "command_accepted"}');
INSERT INTO public.events VALUES (24, 'evt_01KJM6NNN0F0JGF4HSGTXSD2J3', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'CANCELLING', 'The drone checks itself and takes the mission', '无人机自检并接收航线', '{"event_id": "evt_01KJM6NNN0F0JGF4HSGTXSD2J3", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0BZPBSYXGA2PAP6KB", "at": "2026-03-01T08:01:40Z", "phase": "preparing", "previous": "standby", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (25, 'evt_01KJM6NNN0PG84XYY8TR5J3YXC', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'command_accepted', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'CANCELLING', 'bao-01 accepted the recall', 'bao-01 已接受召回指令', '{"event_id": "evt_01KJM6NNN0PG84XYY8TR5J3YXC", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0BZPBSYXGA2PAP6KB", "at": "2026-03-01T08:01:40Z", "command_id": "cmd_01KJM6NNN0TW3RAQ1R8GMYG8D4", "command_kind": "abort_flight", "kind": "command_accepted"}');
INSERT INTO public.events VALUES (26, 'evt_01KJM6NNN0KNJFQCHGQFCJMJN2', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'delivery_failed', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'CANCELLING', 'This flight will not deliver: aborted', '本次飞行无法送达：原因', '{"event_id": "evt_01KJM6NNN0KNJFQCHGQFCJMJN2", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0BZPBSYXGA2PAP6KB", "at": "2026-03-01T08:01:40Z", "reason": {"code": "aborted", "detail": "aborted", "detail_zh": "\u539f\u56e0"}, "aed": "on_board", "kind": "delivery_failed"}');
INSERT INTO public.events VALUES (27, 'evt_01KJM6NNN0CK1980TP1PBXNRWD', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'CANCELLING', 'The flight is over', '飞行结束', '{"event_id": "evt_01KJM6NNN0CK1980TP1PBXNRWD", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0BZPBSYXGA2PAP6KB", "at": "2026-03-01T08:01:40Z", "phase": "ended", "previous": "preparing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (28, 'evt_01KJM6NNN05CM2Q7019TJTR1PR', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'flight_ended', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'CANCELLED', 'The flight is over: it never left the ground; the AED is on board', '飞行结束：未起飞；AED 仍在机上', '{"event_id": "evt_01KJM6NNN05CM2Q7019TJTR1PR", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0BZPBSYXGA2PAP6KB", "at": "2026-03-01T08:01:40Z", "safe_state": "never_left_ground", "reason": "", "aed": "on_board", "position": null, "charge_fraction": null, "kind": "flight_ended"}');
INSERT INTO public.events VALUES (29, 'evt_01KJM6NNN0ZDMKM64GRY095D6M', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', NULL, NULL, NULL, 'bao-01', NULL, 'The drone stands by', '无人机待命', '{"event_id": "evt_01KJM6NNN0ZDMKM64GRY095D6M", "drone_id": "bao-01", "flight_id": null, "at": "2026-03-01T08:01:40Z", "phase": "standby", "previous": "ended", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (30, 'evt_01KJM6QG80VGXYQ2P8ST528QKB', '2026-03-01 08:02:40+00', '2026-03-01 08:02:40+00', 'order_received', 'ord_01KJM6QG806C9WAG817M1JCCJD', NULL, NULL, NULL, 'RECEIVED', 'The order is stored', '订单已接收并保存', '{}');
INSERT INTO public.events VALUES (31, 'evt_01KJM6QG80KFHRRJBWD2MC4KA2', '2026-03-01 08:02:40+00', '2026-03-01 08:02:40+00', 'decision_accepted', 'ord_01KJM6QG806C9WAG817M1JCCJD', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', 'flt_01KJM6QG808KQYHSDMC5TRKA1B', 'bao-01', 'DECIDED', 'bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s', 'bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者', '{"eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "take_off_delay_s": 0.0}');
INSERT INTO public.events VALUES (32, 'evt_01KJM6QG8005VBNEFRFZTGB4M5', '2026-03-01 08:02:40+00', '2026-03-01 08:02:40+00', 'command_accepted', 'ord_01KJM6QG806C9WAG817M1JCCJD', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', 'flt_01KJM6QG808KQYHSDMC5TRKA1B', 'bao-01', 'LAUNCHING', 'bao-01 accepted the flight', 'bao-01 已接受飞行任务', '{"event_id": "evt_01KJM6QG8005VBNEFRFZTGB4M5", "drone_id": "bao-01", "flight_id": "flt_01KJM6QG808KQYHSDMC5TRKA1B", "at": "2026-03-01T08:02:40Z", "command_id": "cmd_01KJM6QG80B9R97TJW9VCF6D0R", "command_kind": "fly_mission", "kind": "command_accepted"}');
INSERT INTO public.events VALUES (33, 'evt_01KJM6QG80VDGWH7D13DH3JYY7', '2026-03-01 08:02:40+00', '2026-03-01 08:02:40+00', 'phase_changed', 'ord_01KJM6QG806C9WAG817M1JCCJD', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', 'flt_01KJM6QG808KQYHSDMC5TRKA1B', 'bao-01', 'LAUNCHING', 'The drone checks itself and takes the mission', '无人机自检并接收航线', '{"event_id": "evt_01KJM6QG80VDGWH7D13DH3JYY7", "drone_id": "bao-01", "flight_id": "flt_01KJM6QG808KQYHSDMC5TRKA1B", "at": "2026-03-01T08:02:40Z", "phase": "preparing", "previous": "standby", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (34, 'evt_01KJM6QT0GWBEF8RXK6Z90PQAS', '2026-03-01 08:02:50+00', '2026-03-01 08:02:50+00', 'phase_changed', 'ord_01KJM6QG806C9WAG817M1JCCJD', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', 'flt_01KJM6QG808KQYHSDMC5TRKA1B', 'bao-01', 'LAUNCHING', 'The drone is being armed', '无人机解锁中', '{"event_id": "evt_01KJM6QT0GWBEF8RXK6Z90PQAS", "drone_id": "bao-01", "flight_id": "flt_01KJM6QG808KQYHSDMC5TRKA1B", "at": "2026-03-01T08:02:50Z", "phase": "arming", "previous": "preparing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (35, 'evt_01KJM6R3S0GCSVV4D1PZR3XQ57', '2026-03-01 08:03:00+00', '2026-03-01 08:03:00+00', 'phase_changed', 'ord_01KJM6QG806C9WAG817M1JCCJD', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', 'flt_01KJM6QG808KQYHSDMC5TRKA1B', 'bao-01', 'LAUNCHING', 'Motors run, take-off is commanded', '电机已启动，准备起飞', '{"event_id": "evt_01KJM6R3S0GCSVV4D1PZR3XQ57", "drone_id": "bao-01", "flight_id": "flt_01KJM6QG808KQYHSDMC5TRKA1B", "at": "2026-03-01T08:03:00Z", "phase": "armed", "previous": "arming", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (36, 'evt_01KJM6RDHGGK4225KXHZ7J7JQ8', '2026-03-01 08:03:10+00', '2026-03-01 08:03:10+00', 'phase_changed', 'ord_01KJM6QG806C9WAG817M1JCCJD', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', 'flt_01KJM6QG808KQYHSDMC5TRKA1B', 'bao-01', 'AIRBORNE', 'The drone climbs from its pad', '无人机起飞爬升', '{"event_id": "evt_01KJM6RDHGGK4225KXHZ7J7JQ8", "drone_id": "bao-01", "flight_id": "flt_01KJM6QG808KQYHSDMC5TRKA1B", "at": "2026-03-01T08:03:10Z", "phase": "climbing", "previous": "armed", "reason": "", "eta_s": null, "kind": "phase_changed"}');


--
-- Data for Name: idempotency_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.idempotency_keys VALUES ('shenzhen-120', 'done', '4030ae65425f73954ddb406643d209fcdb95f1fee112d28beddf96c674b88c53', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', '2026-03-01 08:00:00+00');
INSERT INTO public.idempotency_keys VALUES ('shenzhen-120', 'cancelled', '4150b8fbf45f719e75fb49ac86b48ea3893543a1c13dc288f916a8e6584afc97', 'ord_01KJM6NNN0FBR0HNNFAZD72528', '2026-03-01 08:01:40+00');
INSERT INTO public.idempotency_keys VALUES ('shenzhen-120', 'flying', '24b98e3871b789217dcf7621d8582892dc70e9a3b2e3c10bea8eac0b2093faca', 'ord_01KJM6QG806C9WAG817M1JCCJD', '2026-03-01 08:02:40+00');


--
-- Data for Name: missions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.missions VALUES ('mis_01KJM6JM00NYYP35MSSZGSH2PS', 'ord_01KJM6JM000ZA52GRHJFKC7WSS', 1, 'flt_01KJM6JM00GW90EVSQGYWX2YF0', 'bao-01', 'st-baoan-centre', 'lp-baoan-stadium', '{"plan_id": "plan_01KJM6JM00Y1P04PT17Y59M0GY", "drone_id": "bao-01", "station_id": "st-baoan-centre", "landing_point_id": "lp-baoan-stadium", "airframe_id": "hex10", "home": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "delivery": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "delivery_ground_amsl_m": 6.0, "delivery_method": "WINCH", "hover_budget_s": 60.0, "outbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "inbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "rally_points": [], "autopilot_fence": {"inclusion": [{"latitude_deg": 22.5, "longitude_deg": 113.8}, {"latitude_deg": 22.5, "longitude_deg": 114.0}, {"latitude_deg": 22.7, "longitude_deg": 114.0}], "exclusions": [], "ceiling_amsl_m": 150.0}, "wind": {"from_deg": 0.0, "speed_m_s": 0.0, "measured_at": "2026-03-01T08:00:00Z", "gust_m_s": null}, "route_objective": "SHORTEST", "kinematics": {"acceptance_radius_m": 5.0, "ground_speed_max_m_s": 20.0, "climb_rate_m_s": 6.0, "descent_rate_m_s": 4.5, "landing_rate_m_s": 0.6, "landing_slow_below_m": 8.0, "acceleration_m_s2": 4.0, "vertical_acceleration_m_s2": 2.5}, "corridor_half_width_m": 30.0, "timing": {"preparation_s": 4.0, "climb_s": 10.0, "outbound_s": 60.0, "descent_s": 10.0, "lower_s": 10.0, "time_to_aed_on_ground_s": 94.0, "carry_s": 60.0, "time_to_patient_s": 154.0, "hover_s": 60.0, "inbound_climb_s": 10.0, "inbound_s": 60.0, "landing_s": 10.0, "total_s": 244.0}, "energy": {"outbound_wh": 15.0, "hover_wh": 10.0, "inbound_wh": 15.0, "total_wh": 40.0, "uncertainty_wh": 5.0, "reserve_wh": 5.0, "usable_wh": 100.0}, "airspace_version": "test-1", "terrain": "flat", "authorisation_ids": [], "conditions": [], "created_at": "2026-03-01T08:00:00Z", "valid_until": "2026-03-01T08:02:00Z", "retrace": [], "contingencies": [], "point_of_no_return": null, "alternates": [], "start": null}', 'cmd_01KJM6JM00DG7ZG4RC88VQ63PZ', '2026-03-01 08:00:00+00', 'ended', '2026-03-01 08:00:00+00', '2026-03-01 08:00:30+00', '2026-03-01 08:01:20+00', NULL, '2026-03-01 08:01:40+00', 'on_pad', '');
INSERT INTO public.missions VALUES ('mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', 'ord_01KJM6NNN0FBR0HNNFAZD72528', 1, 'flt_01KJM6NNN0BZPBSYXGA2PAP6KB', 'bao-01', 'st-baoan-centre', 'lp-baoan-stadium', '{"plan_id": "plan_01KJM6NNN0N8P6M43VENKQYV5X", "drone_id": "bao-01", "station_id": "st-baoan-centre", "landing_point_id": "lp-baoan-stadium", "airframe_id": "hex10", "home": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "delivery": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "delivery_ground_amsl_m": 6.0, "delivery_method": "WINCH", "hover_budget_s": 60.0, "outbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "inbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "rally_points": [], "autopilot_fence": {"inclusion": [{"latitude_deg": 22.5, "longitude_deg": 113.8}, {"latitude_deg": 22.5, "longitude_deg": 114.0}, {"latitude_deg": 22.7, "longitude_deg": 114.0}], "exclusions": [], "ceiling_amsl_m": 150.0}, "wind": {"from_deg": 0.0, "speed_m_s": 0.0, "measured_at": "2026-03-01T08:01:40Z", "gust_m_s": null}, "route_objective": "SHORTEST", "kinematics": {"acceptance_radius_m": 5.0, "ground_speed_max_m_s": 20.0, "climb_rate_m_s": 6.0, "descent_rate_m_s": 4.5, "landing_rate_m_s": 0.6, "landing_slow_below_m": 8.0, "acceleration_m_s2": 4.0, "vertical_acceleration_m_s2": 2.5}, "corridor_half_width_m": 30.0, "timing": {"preparation_s": 4.0, "climb_s": 10.0, "outbound_s": 60.0, "descent_s": 10.0, "lower_s": 10.0, "time_to_aed_on_ground_s": 94.0, "carry_s": 60.0, "time_to_patient_s": 154.0, "hover_s": 60.0, "inbound_climb_s": 10.0, "inbound_s": 60.0, "landing_s": 10.0, "total_s": 244.0}, "energy": {"outbound_wh": 15.0, "hover_wh": 10.0, "inbound_wh": 15.0, "total_wh": 40.0, "uncertainty_wh": 5.0, "reserve_wh": 5.0, "usable_wh": 100.0}, "airspace_version": "test-1", "terrain": "flat", "authorisation_ids": [], "conditions": [], "created_at": "2026-03-01T08:01:40Z", "valid_until": "2026-03-01T08:03:40Z", "retrace": [], "contingencies": [], "point_of_no_return": null, "alternates": [], "start": null}', 'cmd_01KJM6NNN0RTEV7YKTMZGZNEEQ', '2026-03-01 08:01:40+00', 'ended', '2026-03-01 08:01:40+00', NULL, NULL, '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'never_left_ground', '');
INSERT INTO public.missions VALUES ('mis_01KJM6QG80YFA5G17S4A1RD2H9', 'ord_01KJM6QG806C9WAG817M1JCCJD', 1, 'flt_01KJM6QG808KQYHSDMC5TRKA1B', 'bao-01', 'st-baoan-centre', 'lp-baoan-stadium', '{"plan_id": "plan_01KJM6QG80CY53PVZ50Y65ZT7R", "drone_id": "bao-01", "station_id": "st-baoan-centre", "landing_point_id": "lp-baoan-stadium", "airframe_id": "hex10", "home": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "delivery": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "delivery_ground_amsl_m": 6.0, "delivery_method": "WINCH", "hover_budget_s": 60.0, "outbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "inbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "rally_points": [], "autopilot_fence": {"inclusion": [{"latitude_deg": 22.5, "longitude_deg": 113.8}, {"latitude_deg": 22.5, "longitude_deg": 114.0}, {"latitude_deg": 22.7, "longitude_deg": 114.0}], "exclusions": [], "ceiling_amsl_m": 150.0}, "wind": {"from_deg": 0.0, "speed_m_s": 0.0, "measured_at": "2026-03-01T08:02:40Z", "gust_m_s": null}, "route_objective": "SHORTEST", "kinematics": {"acceptance_radius_m": 5.0, "ground_speed_max_m_s": 20.0, "climb_rate_m_s": 6.0, "descent_rate_m_s": 4.5, "landing_rate_m_s": 0.6, "landing_slow_below_m": 8.0, "acceleration_m_s2": 4.0, "vertical_acceleration_m_s2": 2.5}, "corridor_half_width_m": 30.0, "timing": {"preparation_s": 4.0, "climb_s": 10.0, "outbound_s": 60.0, "descent_s": 10.0, "lower_s": 10.0, "time_to_aed_on_ground_s": 94.0, "carry_s": 60.0, "time_to_patient_s": 154.0, "hover_s": 60.0, "inbound_climb_s": 10.0, "inbound_s": 60.0, "landing_s": 10.0, "total_s": 244.0}, "energy": {"outbound_wh": 15.0, "hover_wh": 10.0, "inbound_wh": 15.0, "total_wh": 40.0, "uncertainty_wh": 5.0, "reserve_wh": 5.0, "usable_wh": 100.0}, "airspace_version": "test-1", "terrain": "flat", "authorisation_ids": [], "conditions": [], "created_at": "2026-03-01T08:02:40Z", "valid_until": "2026-03-01T08:04:40Z", "retrace": [], "contingencies": [], "point_of_no_return": null, "alternates": [], "start": null}', 'cmd_01KJM6QG80B9R97TJW9VCF6D0R', '2026-03-01 08:02:40+00', 'climbing', '2026-03-01 08:02:40+00', '2026-03-01 08:03:10+00', NULL, NULL, NULL, NULL, NULL);


--
-- Data for Name: orders; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.orders VALUES ('ord_01KJM6JM000ZA52GRHJFKC7WSS', 'shenzhen-120', 'CLOSED', 12, '2026-03-01 08:00:00+00', '{"position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}, "severity": "I", "floor": null, "incident_reference": "BA-1", "callback_url": "https://centre.example/cb"}', 22.5601, 113.8901, 'I', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', '{"outcome": "accepted", "decided_at": "2026-03-01T08:00:00+00:00", "airspace_version": "test-1", "reasons": [], "candidates_total": 4, "refusals": {}, "candidates": [{"station_id": "st-baoan-centre", "drone_id": "bao-01", "landing_point_id": "lp-baoan-stadium", "verdict": "chosen", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-xixiang", "drone_id": "bao-02", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-baoan-park", "drone_id": "bao-03", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-tiezai", "drone_id": "bao-04", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}], "flight_id": "flt_01KJM6JM00GW90EVSQGYWX2YF0", "plan_id": "plan_01KJM6JM00Y1P04PT17Y59M0GY", "drone_id": "bao-01", "station_id": "st-baoan-centre", "station_position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "landing_point_id": "lp-baoan-stadium", "landing_point_position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "delivery_method": "WINCH", "take_off_delay_s": 0.0, "eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "eta_drone_home_s": 244.0, "conditions": [], "authorisation_ids": []}', '2026-03-01 08:00:00+00', '2026-03-01 08:00:30+00', '2026-03-01 08:01:20+00', '2026-03-01 08:01:40+00', NULL, '2026-03-01 08:03:10+00');
INSERT INTO public.orders VALUES ('ord_01KJM6NNN0FBR0HNNFAZD72528', 'shenzhen-120', 'CANCELLED', 6, '2026-03-01 08:01:40+00', '{"position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}, "severity": "I", "floor": null, "incident_reference": "BA-1", "callback_url": "https://broken.example/cb"}', 22.5601, 113.8901, 'I', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', '{"outcome": "accepted", "decided_at": "2026-03-01T08:01:40+00:00", "airspace_version": "test-1", "reasons": [], "candidates_total": 4, "refusals": {}, "candidates": [{"station_id": "st-baoan-centre", "drone_id": "bao-01", "landing_point_id": "lp-baoan-stadium", "verdict": "chosen", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-xixiang", "drone_id": "bao-02", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-baoan-park", "drone_id": "bao-03", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-tiezai", "drone_id": "bao-04", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}], "flight_id": "flt_01KJM6NNN0BZPBSYXGA2PAP6KB", "plan_id": "plan_01KJM6NNN0N8P6M43VENKQYV5X", "drone_id": "bao-01", "station_id": "st-baoan-centre", "station_position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "landing_point_id": "lp-baoan-stadium", "landing_point_position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "delivery_method": "WINCH", "take_off_delay_s": 0.0, "eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "eta_drone_home_s": 244.0, "conditions": [], "authorisation_ids": []}', '2026-03-01 08:01:40+00', NULL, NULL, '2026-03-01 08:01:40+00', NULL, '2026-03-01 08:03:10+00');
INSERT INTO public.orders VALUES ('ord_01KJM6QG806C9WAG817M1JCCJD', 'shenzhen-120', 'AIRBORNE', 6, '2026-03-01 08:02:40+00', '{"position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}, "severity": "I", "floor": null, "incident_reference": "BA-2", "callback_url": null}', 22.5601, 113.8901, 'I', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', '{"outcome": "accepted", "decided_at": "2026-03-01T08:02:40+00:00", "airspace_version": "test-1", "reasons": [], "candidates_total": 4, "refusals": {}, "candidates": [{"station_id": "st-baoan-centre", "drone_id": "bao-01", "landing_point_id": "lp-baoan-stadium", "verdict": "chosen", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-xixiang", "drone_id": "bao-02", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-baoan-park", "drone_id": "bao-03", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-tiezai", "drone_id": "bao-04", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}], "flight_id": "flt_01KJM6QG808KQYHSDMC5TRKA1B", "plan_id": "plan_01KJM6QG80CY53PVZ50Y65ZT7R", "drone_id": "bao-01", "station_id": "st-baoan-centre", "station_position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "landing_point_id": "lp-baoan-stadium", "landing_point_position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "delivery_method": "WINCH", "take_off_delay_s": 0.0, "eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "eta_drone_home_s": 244.0, "conditions": [], "authorisation_ids": []}', '2026-03-01 08:02:40+00', '2026-03-01 08:03:10+00', NULL, NULL, 'v1.p1.CH_llTiJhzzGsKsy7ZicLqLRaR0MH7yVb_Xt28eE6nPYw6AFoC0JoxmCmwN7r4BevfhfrxaTy9EI6ODgmSeZmIFJ6SixW6fVlB7y8uIZ54fO-cujst03sgXeH8Rm2nh3iHtOCpdzvcOkxrJpmWmUkg==', NULL);


--
-- Data for Name: outbox; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.outbox VALUES (2, 'cmd_01KJM6NNN0RTEV7YKTMZGZNEEQ', 'fleet.bao-01.commands', '{"command_id":"cmd_01KJM6NNN0RTEV7YKTMZGZNEEQ","drone_id":"bao-01","flight_id":"flt_01KJM6NNN0BZPBSYXGA2PAP6KB","order_id":"ord_01KJM6NNN0FBR0HNNFAZD72528","plan":{"plan_id":"plan_01KJM6NNN0N8P6M43VENKQYV5X","drone_id":"bao-01","station_id":"st-baoan-centre","landing_point_id":"lp-baoan-stadium","airframe_id":"hex10","home":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"delivery":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"delivery_ground_amsl_m":6.0,"delivery_method":"WINCH","hover_budget_s":60.0,"outbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"inbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"rally_points":[],"autopilot_fence":{"inclusion":[{"latitude_deg":22.5,"longitude_deg":113.8},{"latitude_deg":22.5,"longitude_deg":114.0},{"latitude_deg":22.7,"longitude_deg":114.0}],"exclusions":[],"ceiling_amsl_m":150.0},"wind":{"from_deg":0.0,"speed_m_s":0.0,"measured_at":"2026-03-01T08:01:40Z","gust_m_s":null},"route_objective":"SHORTEST","kinematics":{"acceptance_radius_m":5.0,"ground_speed_max_m_s":20.0,"climb_rate_m_s":6.0,"descent_rate_m_s":4.5,"landing_rate_m_s":0.6,"landing_slow_below_m":8.0,"acceleration_m_s2":4.0,"vertical_acceleration_m_s2":2.5},"corridor_half_width_m":30.0,"timing":{"preparation_s":4.0,"climb_s":10.0,"outbound_s":60.0,"descent_s":10.0,"lower_s":10.0,"time_to_aed_on_ground_s":94.0,"carry_s":60.0,"time_to_patient_s":154.0,"hover_s":60.0,"inbound_climb_s":10.0,"inbound_s":60.0,"landing_s":10.0,"total_s":244.0},"energy":{"outbound_wh":15.0,"hover_wh":10.0,"inbound_wh":15.0,"total_wh":40.0,"uncertainty_wh":5.0,"reserve_wh":5.0,"usable_wh":100.0},"airspace_version":"test-1","terrain":"flat","authorisation_ids":[],"conditions":[],"created_at":"2026-03-01T08:01:40Z","valid_until":"2026-03-01T08:03:40Z","retrace":[],"contingencies":[],"point_of_no_return":null,"alternates":[],"start":null},"issued_at":"2026-03-01T08:01:40Z","not_before":null,"kind":"fly_mission"}', 'fly_mission', 'bao-01', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 1, '2026-03-01 08:01:40+00', 'accepted');
INSERT INTO public.outbox VALUES (1, 'cmd_01KJM6JM00DG7ZG4RC88VQ63PZ', 'fleet.bao-01.commands', '{"command_id":"cmd_01KJM6JM00DG7ZG4RC88VQ63PZ","drone_id":"bao-01","flight_id":"flt_01KJM6JM00GW90EVSQGYWX2YF0","order_id":"ord_01KJM6JM000ZA52GRHJFKC7WSS","plan":{"plan_id":"plan_01KJM6JM00Y1P04PT17Y59M0GY","drone_id":"bao-01","station_id":"st-baoan-centre","landing_point_id":"lp-baoan-stadium","airframe_id":"hex10","home":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"delivery":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"delivery_ground_amsl_m":6.0,"delivery_method":"WINCH","hover_budget_s":60.0,"outbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"inbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"rally_points":[],"autopilot_fence":{"inclusion":[{"latitude_deg":22.5,"longitude_deg":113.8},{"latitude_deg":22.5,"longitude_deg":114.0},{"latitude_deg":22.7,"longitude_deg":114.0}],"exclusions":[],"ceiling_amsl_m":150.0},"wind":{"from_deg":0.0,"speed_m_s":0.0,"measured_at":"2026-03-01T08:00:00Z","gust_m_s":null},"route_objective":"SHORTEST","kinematics":{"acceptance_radius_m":5.0,"ground_speed_max_m_s":20.0,"climb_rate_m_s":6.0,"descent_rate_m_s":4.5,"landing_rate_m_s":0.6,"landing_slow_below_m":8.0,"acceleration_m_s2":4.0,"vertical_acceleration_m_s2":2.5},"corridor_half_width_m":30.0,"timing":{"preparation_s":4.0,"climb_s":10.0,"outbound_s":60.0,"descent_s":10.0,"lower_s":10.0,"time_to_aed_on_ground_s":94.0,"carry_s":60.0,"time_to_patient_s":154.0,"hover_s":60.0,"inbound_climb_s":10.0,"inbound_s":60.0,"landing_s":10.0,"total_s":244.0},"energy":{"outbound_wh":15.0,"hover_wh":10.0,"inbound_wh":15.0,"total_wh":40.0,"uncertainty_wh":5.0,"reserve_wh":5.0,"usable_wh":100.0},"airspace_version":"test-1","terrain":"flat","authorisation_ids":[],"conditions":[],"created_at":"2026-03-01T08:00:00Z","valid_until":"2026-03-01T08:02:00Z","retrace":[],"contingencies":[],"point_of_no_return":null,"alternates":[],"start":null},"issued_at":"2026-03-01T08:00:00Z","not_before":null,"kind":"fly_mission"}', 'fly_mission', 'bao-01', 'mis_01KJM6JM00NYYP35MSSZGSH2PS', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 1, '2026-03-01 08:00:00+00', 'accepted');
INSERT INTO public.outbox VALUES (3, 'cmd_01KJM6NNN0TW3RAQ1R8GMYG8D4', 'fleet.bao-01.commands', '{"command_id":"cmd_01KJM6NNN0TW3RAQ1R8GMYG8D4","drone_id":"bao-01","flight_id":"flt_01KJM6NNN0BZPBSYXGA2PAP6KB","issued_at":"2026-03-01T08:01:40Z","reason":"the order does not need it any more","kind":"abort_flight"}', 'abort_flight', 'bao-01', 'mis_01KJM6NNN0HHZ5VYYKT4P4MDMR', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 1, '2026-03-01 08:01:40+00', 'accepted');
INSERT INTO public.outbox VALUES (4, 'cmd_01KJM6QG80B9R97TJW9VCF6D0R', 'fleet.bao-01.commands', '{"command_id":"cmd_01KJM6QG80B9R97TJW9VCF6D0R","drone_id":"bao-01","flight_id":"flt_01KJM6QG808KQYHSDMC5TRKA1B","order_id":"ord_01KJM6QG806C9WAG817M1JCCJD","plan":{"plan_id":"plan_01KJM6QG80CY53PVZ50Y65ZT7R","drone_id":"bao-01","station_id":"st-baoan-centre","landing_point_id":"lp-baoan-stadium","airframe_id":"hex10","home":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"delivery":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"delivery_ground_amsl_m":6.0,"delivery_method":"WINCH","hover_budget_s":60.0,"outbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"inbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"rally_points":[],"autopilot_fence":{"inclusion":[{"latitude_deg":22.5,"longitude_deg":113.8},{"latitude_deg":22.5,"longitude_deg":114.0},{"latitude_deg":22.7,"longitude_deg":114.0}],"exclusions":[],"ceiling_amsl_m":150.0},"wind":{"from_deg":0.0,"speed_m_s":0.0,"measured_at":"2026-03-01T08:02:40Z","gust_m_s":null},"route_objective":"SHORTEST","kinematics":{"acceptance_radius_m":5.0,"ground_speed_max_m_s":20.0,"climb_rate_m_s":6.0,"descent_rate_m_s":4.5,"landing_rate_m_s":0.6,"landing_slow_below_m":8.0,"acceleration_m_s2":4.0,"vertical_acceleration_m_s2":2.5},"corridor_half_width_m":30.0,"timing":{"preparation_s":4.0,"climb_s":10.0,"outbound_s":60.0,"descent_s":10.0,"lower_s":10.0,"time_to_aed_on_ground_s":94.0,"carry_s":60.0,"time_to_patient_s":154.0,"hover_s":60.0,"inbound_climb_s":10.0,"inbound_s":60.0,"landing_s":10.0,"total_s":244.0},"energy":{"outbound_wh":15.0,"hover_wh":10.0,"inbound_wh":15.0,"total_wh":40.0,"uncertainty_wh":5.0,"reserve_wh":5.0,"usable_wh":100.0},"airspace_version":"test-1","terrain":"flat","authorisation_ids":[],"conditions":[],"created_at":"2026-03-01T08:02:40Z","valid_until":"2026-03-01T08:04:40Z","retrace":[],"contingencies":[],"point_of_no_return":null,"alternates":[],"start":null},"issued_at":"2026-03-01T08:02:40Z","not_before":null,"kind":"fly_mission"}', 'fly_mission', 'bao-01', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', '2026-03-01 08:02:40+00', '2026-03-01 08:02:40+00', 1, '2026-03-01 08:02:40+00', 'accepted');


--
-- Data for Name: reservations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.reservations VALUES ('bao-01', 'mis_01KJM6QG80YFA5G17S4A1RD2H9', '2026-03-01 08:02:40+00');


--
-- Data for Name: revocations; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: webhook_secrets; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.webhook_secrets VALUES ('whs_01KJM6JM00HP47XVCD2KR6TFZF', 'shenzhen-120', 'v1.p1.atWUUG2E9HtCKgBArE_iw6fK1PO-U3xT55PZ_gVZwHvAYGPXUzgECuuPOx4yVQa93U1q_7GR7ZlpdEv1qWhNiSE1DHZdt6CWHsd4qSuxoYcdEIR5g6zM8PtF3g==', '2026-03-01 08:00:00+00', NULL);


--
-- Name: airspace_changes_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.airspace_changes_seq_seq', 1, false);


--
-- Name: callbacks_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.callbacks_seq_seq', 10, true);


--
-- Name: events_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.events_seq_seq', 36, true);


--
-- Name: outbox_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.outbox_seq_seq', 4, true);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: accounts pk_accounts; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT pk_accounts PRIMARY KEY (account_id);


--
-- Name: airspace_changes pk_airspace_changes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.airspace_changes
    ADD CONSTRAINT pk_airspace_changes PRIMARY KEY (seq);


--
-- Name: airspace_feeds pk_airspace_feeds; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.airspace_feeds
    ADD CONSTRAINT pk_airspace_feeds PRIMARY KEY (feed_id);


--
-- Name: api_keys pk_api_keys; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT pk_api_keys PRIMARY KEY (key_id);


--
-- Name: audit_log pk_audit_log; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT pk_audit_log PRIMARY KEY (seq);


--
-- Name: authorisations pk_authorisations; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.authorisations
    ADD CONSTRAINT pk_authorisations PRIMARY KEY (authorisation_id);


--
-- Name: callbacks pk_callbacks; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.callbacks
    ADD CONSTRAINT pk_callbacks PRIMARY KEY (seq);


--
-- Name: events pk_events; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (seq);


--
-- Name: idempotency_keys pk_idempotency_keys; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (client, key);


--
-- Name: missions pk_missions; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.missions
    ADD CONSTRAINT pk_missions PRIMARY KEY (mission_id);


--
-- Name: orders pk_orders; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT pk_orders PRIMARY KEY (order_id);


--
-- Name: outbox pk_outbox; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (seq);


--
-- Name: reservations pk_reservations; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT pk_reservations PRIMARY KEY (drone_id);


--
-- Name: revocations pk_revocations; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT pk_revocations PRIMARY KEY (authorisation_id);


--
-- Name: webhook_secrets pk_webhook_secrets; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_secrets
    ADD CONSTRAINT pk_webhook_secrets PRIMARY KEY (secret_id);


--
-- Name: accounts uq_accounts_name; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT uq_accounts_name UNIQUE (name);


--
-- Name: api_keys uq_api_keys_previous_sha256; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT uq_api_keys_previous_sha256 UNIQUE (previous_sha256);


--
-- Name: api_keys uq_api_keys_secret_sha256; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT uq_api_keys_secret_sha256 UNIQUE (secret_sha256);


--
-- Name: events uq_events_message_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT uq_events_message_id UNIQUE (message_id);


--
-- Name: missions uq_missions_flight_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.missions
    ADD CONSTRAINT uq_missions_flight_id UNIQUE (flight_id);


--
-- Name: outbox uq_outbox_message_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT uq_outbox_message_id UNIQUE (message_id);


--
-- Name: reservations uq_reservations_mission_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT uq_reservations_mission_id UNIQUE (mission_id);


--
-- Name: ix_audit_log_subject; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_log_subject ON public.audit_log USING btree (subject);


--
-- Name: ix_callbacks_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_callbacks_open ON public.callbacks USING btree (delivered_at, failed_at, next_attempt_at);


--
-- Name: ix_events_order_id_seq; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_events_order_id_seq ON public.events USING btree (order_id, seq);


--
-- Name: ix_missions_order_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_missions_order_id ON public.missions USING btree (order_id);


--
-- Name: ix_orders_received_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_orders_received_at ON public.orders USING btree (received_at);


--
-- Name: ix_orders_state; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_orders_state ON public.orders USING btree (state);


--
-- Name: ix_outbox_settled_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_outbox_settled_at ON public.outbox USING btree (settled_at);


--
-- Name: ix_webhook_secrets_client; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_webhook_secrets_client ON public.webhook_secrets USING btree (client);


--
-- Name: audit_log audit_log_append_only; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER audit_log_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION public.audit_log_is_append_only();


--
-- Name: callbacks fk_callbacks_order_id_orders; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.callbacks
    ADD CONSTRAINT fk_callbacks_order_id_orders FOREIGN KEY (order_id) REFERENCES public.orders(order_id);


--
-- Name: events fk_events_order_id_orders; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_order_id_orders FOREIGN KEY (order_id) REFERENCES public.orders(order_id);


--
-- Name: idempotency_keys fk_idempotency_keys_order_id_orders; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT fk_idempotency_keys_order_id_orders FOREIGN KEY (order_id) REFERENCES public.orders(order_id);


--
-- Name: missions fk_missions_order_id_orders; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.missions
    ADD CONSTRAINT fk_missions_order_id_orders FOREIGN KEY (order_id) REFERENCES public.orders(order_id);


--
-- Name: reservations fk_reservations_mission_id_missions; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT fk_reservations_mission_id_missions FOREIGN KEY (mission_id) REFERENCES public.missions(mission_id);


--
-- PostgreSQL database dump complete
--

\unrestrict QVTym76JDRBoirfNu3feZir0lyhVyxomYxwma7j4xqEqnp2RukFy32KnW3vjvcf

