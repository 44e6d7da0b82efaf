--
-- PostgreSQL database dump
--

\restrict 7YpEMXOJcWZAfXh8GVOSnQVyhRwNqlbP3YxMr80TfHvoVBMfnNse1lSSPcBbWx1

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

SET default_tablespace = '';

SET default_table_access_method = heap;

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
    revoked_at timestamp with time zone
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
    failed_at timestamp with time zone
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
    finished_at timestamp with time zone
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
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES ('0001');


--
-- Data for Name: api_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.api_keys VALUES ('key_01KJM6JM00V3RS3DTR98H6BCFN', 'demo', 'well-known demo key', 'b778a51f7b22483c960e9b4fb4ed18dbc0b5ee65b5587dd902f4d64135b1e128', '["admin"]', '2026-03-01 08:00:00+00', NULL);
INSERT INTO public.api_keys VALUES ('key_01KJM6PJYGTW3RAQ1R8GMYG8D4', 'shenzhen-120', 'centre', '2957dd4ba24353262d69dcbfc368a8e36872c890373f5abc5e00de6ee6d35cad', '["orders:read", "orders:write"]', '2026-03-01 08:02:10+00', NULL);
INSERT INTO public.api_keys VALUES ('key_01KJM6PJYGFNE5XPMJV1JARQDS', 'sensors', 'wind', 'b678def40095faf03d51fbce6f33dc61b3d3e53168aa70e8b6bcd8a26e261e26', '["weather:write"]', '2026-03-01 08:02:10+00', NULL);


--
-- Data for Name: callbacks; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.callbacks VALUES (1, 'ord_01KJM6JM008GQ741755PS246JR', 2, 'https://centre.example/cb', '{"event_id":"2","order_id":"ord_01KJM6JM008GQ741755PS246JR","incident_reference":"BA-1","state":"DECIDED","kind":"decision_accepted","at":"2026-03-01T08:00:00+00:00","detail":"bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s","detail_zh":"bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者","order_url":"/v1/orders/ord_01KJM6JM008GQ741755PS246JR"}', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 1, NULL, '2026-03-01 08:00:00+00', NULL);
INSERT INTO public.callbacks VALUES (2, 'ord_01KJM6JM008GQ741755PS246JR', 3, 'https://centre.example/cb', '{"event_id":"3","order_id":"ord_01KJM6JM008GQ741755PS246JR","incident_reference":"BA-1","state":"LAUNCHING","kind":"command_accepted","at":"2026-03-01T08:00:00+00:00","detail":"bao-01 accepted the flight","detail_zh":"bao-01 已接受飞行任务","order_url":"/v1/orders/ord_01KJM6JM008GQ741755PS246JR"}', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 1, NULL, '2026-03-01 08:00:00+00', NULL);
INSERT INTO public.callbacks VALUES (3, 'ord_01KJM6JM008GQ741755PS246JR', 7, 'https://centre.example/cb', '{"event_id":"7","order_id":"ord_01KJM6JM008GQ741755PS246JR","incident_reference":"BA-1","state":"AIRBORNE","kind":"phase_changed","at":"2026-03-01T08:00:30+00:00","detail":"The drone climbs from its pad","detail_zh":"无人机起飞爬升","order_url":"/v1/orders/ord_01KJM6JM008GQ741755PS246JR"}', '2026-03-01 08:00:30+00', '2026-03-01 08:00:30+00', 1, NULL, '2026-03-01 08:00:30+00', NULL);
INSERT INTO public.callbacks VALUES (4, 'ord_01KJM6JM008GQ741755PS246JR', 10, 'https://centre.example/cb', '{"event_id":"10","order_id":"ord_01KJM6JM008GQ741755PS246JR","incident_reference":"BA-1","state":"DELIVERING","kind":"phase_changed","at":"2026-03-01T08:01:00+00:00","detail":"The AED is being lowered: keep clear","detail_zh":"正在下放 AED，请勿靠近","order_url":"/v1/orders/ord_01KJM6JM008GQ741755PS246JR"}', '2026-03-01 08:01:00+00', '2026-03-01 08:01:00+00', 1, NULL, '2026-03-01 08:01:00+00', NULL);
INSERT INTO public.callbacks VALUES (5, 'ord_01KJM6JM008GQ741755PS246JR', 14, 'https://centre.example/cb', '{"event_id":"14","order_id":"ord_01KJM6JM008GQ741755PS246JR","incident_reference":"BA-1","state":"DELIVERED","kind":"aed_on_ground","at":"2026-03-01T08:01:20+00:00","detail":"The AED is on the ground and may be approached","detail_zh":"AED 已送达地面，可以取用","order_url":"/v1/orders/ord_01KJM6JM008GQ741755PS246JR"}', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 1, NULL, '2026-03-01 08:01:20+00', NULL);
INSERT INTO public.callbacks VALUES (6, 'ord_01KJM6JM008GQ741755PS246JR', 15, 'https://centre.example/cb', '{"event_id":"15","order_id":"ord_01KJM6JM008GQ741755PS246JR","incident_reference":"BA-1","state":"RETURNING","kind":"phase_changed","at":"2026-03-01T08:01:20+00:00","detail":"The drone flies home","detail_zh":"无人机返航","order_url":"/v1/orders/ord_01KJM6JM008GQ741755PS246JR"}', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 1, NULL, '2026-03-01 08:01:20+00', NULL);
INSERT INTO public.callbacks VALUES (7, 'ord_01KJM6JM008GQ741755PS246JR', 18, 'https://centre.example/cb', '{"event_id":"18","order_id":"ord_01KJM6JM008GQ741755PS246JR","incident_reference":"BA-1","state":"CLOSED","kind":"flight_ended","at":"2026-03-01T08:01:40+00:00","detail":"The flight is over: it is back on its pad; the AED was released","detail_zh":"飞行结束：已返回停机坪；AED 已释放","order_url":"/v1/orders/ord_01KJM6JM008GQ741755PS246JR"}', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 1, NULL, '2026-03-01 08:01:40+00', NULL);


--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES (1, 'evt_01KJM6JM007A8CTH3Y6PWBDP7Y', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'order_received', 'ord_01KJM6JM008GQ741755PS246JR', NULL, NULL, NULL, 'RECEIVED', 'The order is stored', '订单已接收并保存', '{}');
INSERT INTO public.events VALUES (2, 'evt_01KJM6JM00NYYP35MSSZGSH2PS', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'decision_accepted', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'DECIDED', 'bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s', 'bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者', '{"eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0}');
INSERT INTO public.events VALUES (3, 'evt_01KJM6JM00DG7ZG4RC88VQ63PZ', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'command_accepted', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'LAUNCHING', 'bao-01 accepted the flight', 'bao-01 已接受飞行任务', '{"event_id": "evt_01KJM6JM00DG7ZG4RC88VQ63PZ", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:00:00Z", "command_id": "cmd_01KJM6JM00MS40D0WYQ42VDSQ3", "command_kind": "fly_mission", "kind": "command_accepted"}');
INSERT INTO public.events VALUES (4, 'evt_01KJM6JM00GW90EVSQGYWX2YF0', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'LAUNCHING', 'The drone checks itself and takes the mission', '无人机自检并接收航线', '{"event_id": "evt_01KJM6JM00GW90EVSQGYWX2YF0", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:00:00Z", "phase": "preparing", "previous": "standby", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (5, 'evt_01KJM6JXRGE0CW70F8HWWC1J7X', '2026-03-01 08:00:10+00', '2026-03-01 08:00:10+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'LAUNCHING', 'The drone is being armed', '无人机解锁中', '{"event_id": "evt_01KJM6JXRGE0CW70F8HWWC1J7X", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:00:10Z", "phase": "arming", "previous": "preparing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (6, 'evt_01KJM6K7H0HP47XVCD2KR6TFZF', '2026-03-01 08:00:20+00', '2026-03-01 08:00:20+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'LAUNCHING', 'Motors run, take-off is commanded', '电机已启动，准备起飞', '{"event_id": "evt_01KJM6K7H0HP47XVCD2KR6TFZF", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:00:20Z", "phase": "armed", "previous": "arming", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (7, 'evt_01KJM6KH9G7CD5GZYJG0XTPV1S', '2026-03-01 08:00:30+00', '2026-03-01 08:00:30+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'AIRBORNE', 'The drone climbs from its pad', '无人机起飞爬升', '{"event_id": "evt_01KJM6KH9G7CD5GZYJG0XTPV1S", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:00:30Z", "phase": "climbing", "previous": "armed", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (8, 'evt_01KJM6KV20RB6KG0G8N6PMBWHX', '2026-03-01 08:00:40+00', '2026-03-01 08:00:40+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'AIRBORNE', 'The drone is on its way to the landing point', '无人机飞往投送点', '{"event_id": "evt_01KJM6KV20RB6KG0G8N6PMBWHX", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:00:40Z", "phase": "outbound", "previous": "climbing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (9, 'evt_01KJM6M4TG98QZ7HJAYXTTH4MM', '2026-03-01 08:00:50+00', '2026-03-01 08:00:50+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'AIRBORNE', 'The drone hovers over the landing point', '无人机在投送点上空悬停', '{"event_id": "evt_01KJM6M4TG98QZ7HJAYXTTH4MM", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:00:50Z", "phase": "hovering", "previous": "outbound", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (10, 'evt_01KJM6MEK0DA50B02SEQPJZ2ES', '2026-03-01 08:01:00+00', '2026-03-01 08:01:00+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'DELIVERING', 'The AED is being lowered: keep clear', '正在下放 AED，请勿靠近', '{"event_id": "evt_01KJM6MEK0DA50B02SEQPJZ2ES", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:00Z", "phase": "lowering", "previous": "hovering", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (11, 'evt_01KJM6MRBGHSSYN458Y3B6Q0MY', '2026-03-01 08:01:10+00', '2026-03-01 08:01:10+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'DELIVERING', 'The AED is at the ground and is being released', 'AED 已到地面，正在释放', '{"event_id": "evt_01KJM6MRBGHSSYN458Y3B6Q0MY", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:10Z", "phase": "releasing", "previous": "lowering", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (12, 'evt_01KJM6N24036CT8VB7AFP1935M', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'aed_released', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'DELIVERING', 'The drone confirmed the release of the AED', '无人机确认 AED 已释放', '{"event_id": "evt_01KJM6N24036CT8VB7AFP1935M", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:20Z", "position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "evidence": [{"source": "WINCH_STATUS", "observed": "released", "at": "2026-03-01T08:01:20Z"}], "kind": "aed_released"}');
INSERT INTO public.events VALUES (13, 'evt_01KJM6N240ZRBT27A5K8QSF3C7', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'DELIVERING', 'The AED is released, the line comes up', 'AED 已释放，正在收线', '{"event_id": "evt_01KJM6N240ZRBT27A5K8QSF3C7", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:20Z", "phase": "retracting", "previous": "releasing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (14, 'evt_01KJM6N2409FGDR9BMQPWM0SZD', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'aed_on_ground', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'DELIVERED', 'The AED is on the ground and may be approached', 'AED 已送达地面，可以取用', '{"event_id": "evt_01KJM6N2409FGDR9BMQPWM0SZD", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:20Z", "position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "line_height_agl_m": 5.0, "evidence": [{"source": "WINCH_STATUS", "observed": "released", "at": "2026-03-01T08:01:20Z"}], "kind": "aed_on_ground"}');
INSERT INTO public.events VALUES (15, 'evt_01KJM6N240AMNVWFPW18FF597G', '2026-03-01 08:01:20+00', '2026-03-01 08:01:20+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'RETURNING', 'The drone flies home', '无人机返航', '{"event_id": "evt_01KJM6N240AMNVWFPW18FF597G", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:20Z", "phase": "inbound", "previous": "retracting", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (16, 'evt_01KJM6NBWGZ4KVHCSKN3JM8VEM', '2026-03-01 08:01:30+00', '2026-03-01 08:01:30+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'RETURNING', 'The drone lands', '无人机降落中', '{"event_id": "evt_01KJM6NBWGZ4KVHCSKN3JM8VEM", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:30Z", "phase": "landing", "previous": "inbound", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (17, 'evt_01KJM6NNN0XYX80D38PTV11AFQ', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'RETURNING', 'The flight is over', '飞行结束', '{"event_id": "evt_01KJM6NNN0XYX80D38PTV11AFQ", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:40Z", "phase": "ended", "previous": "landing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (18, 'evt_01KJM6NNN0G7WPR3SMB7VSP5XE', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'flight_ended', 'ord_01KJM6JM008GQ741755PS246JR', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'CLOSED', 'The flight is over: it is back on its pad; the AED was released', '飞行结束：已返回停机坪；AED 已释放', '{"event_id": "evt_01KJM6NNN0G7WPR3SMB7VSP5XE", "drone_id": "bao-01", "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "at": "2026-03-01T08:01:40Z", "safe_state": "on_pad", "reason": "", "aed": "released", "position": null, "charge_fraction": null, "kind": "flight_ended"}');
INSERT INTO public.events VALUES (19, 'evt_01KJM6NNN0W7NFJD0WD2B6QBN1', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'order_received', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', NULL, NULL, NULL, 'RECEIVED', 'The order is stored', '订单已接收并保存', '{}');
INSERT INTO public.events VALUES (20, 'evt_01KJM6NNN0NECYJ0F3BKA7TE0D', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', NULL, NULL, NULL, 'bao-01', NULL, 'The drone stands by', '无人机待命', '{"event_id": "evt_01KJM6NNN0NECYJ0F3BKA7TE0D", "drone_id": "bao-01", "flight_id": null, "at": "2026-03-01T08:01:40Z", "phase": "standby", "previous": "ended", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (21, 'evt_01KJM6NNN0N8P6M43VENKQYV5X', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'decision_accepted', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', 'flt_01KJM6NNN0SGHBWS91SGZ28D73', 'bao-01', 'DECIDED', 'bao-01 flies from st-baoan-centre to lp-baoan-stadium: AED on the ground in 94 s, at the patient in 154 s', 'bao-01 从 st-baoan-centre 飞往 lp-baoan-stadium：预计 94 秒后 AED 落地，154 秒后到达患者', '{"eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0}');
INSERT INTO public.events VALUES (22, 'evt_01KJM6NNN0HHZ5VYYKT4P4MDMR', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'command_accepted', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', 'flt_01KJM6NNN0SGHBWS91SGZ28D73', 'bao-01', 'LAUNCHING', 'bao-01 accepted the flight', 'bao-01 已接受飞行任务', '{"event_id": "evt_01KJM6NNN0HHZ5VYYKT4P4MDMR", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0SGHBWS91SGZ28D73", "at": "2026-03-01T08:01:40Z", "command_id": "cmd_01KJM6NNN0FBR0HNNFAZD72528", "command_kind": "fly_mission", "kind": "command_accepted"}');
INSERT INTO public.events VALUES (23, 'evt_01KJM6NNN0RTEV7YKTMZGZNEEQ', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 'phase_changed', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', 'flt_01KJM6NNN0SGHBWS91SGZ28D73', 'bao-01', 'LAUNCHING', 'The drone checks itself and takes the mission', '无人机自检并接收航线', '{"event_id": "evt_01KJM6NNN0RTEV7YKTMZGZNEEQ", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0SGHBWS91SGZ28D73", "at": "2026-03-01T08:01:40Z", "phase": "preparing", "previous": "standby", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (24, 'evt_01KJM6NZDGBZPBSYXGA2PAP6KB', '2026-03-01 08:01:50+00', '2026-03-01 08:01:50+00', 'phase_changed', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', 'flt_01KJM6NNN0SGHBWS91SGZ28D73', 'bao-01', 'LAUNCHING', 'The drone is being armed', '无人机解锁中', '{"event_id": "evt_01KJM6NZDGBZPBSYXGA2PAP6KB", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0SGHBWS91SGZ28D73", "at": "2026-03-01T08:01:50Z", "phase": "arming", "previous": "preparing", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (25, 'evt_01KJM6P960N7P70QYA2RB25FBS', '2026-03-01 08:02:00+00', '2026-03-01 08:02:00+00', 'phase_changed', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', 'flt_01KJM6NNN0SGHBWS91SGZ28D73', 'bao-01', 'LAUNCHING', 'Motors run, take-off is commanded', '电机已启动，准备起飞', '{"event_id": "evt_01KJM6P960N7P70QYA2RB25FBS", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0SGHBWS91SGZ28D73", "at": "2026-03-01T08:02:00Z", "phase": "armed", "previous": "arming", "reason": "", "eta_s": null, "kind": "phase_changed"}');
INSERT INTO public.events VALUES (26, 'evt_01KJM6PJYGRX41Q8B22P12GF8N', '2026-03-01 08:02:10+00', '2026-03-01 08:02:10+00', 'phase_changed', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', 'flt_01KJM6NNN0SGHBWS91SGZ28D73', 'bao-01', 'AIRBORNE', 'The drone climbs from its pad', '无人机起飞爬升', '{"event_id": "evt_01KJM6PJYGRX41Q8B22P12GF8N", "drone_id": "bao-01", "flight_id": "flt_01KJM6NNN0SGHBWS91SGZ28D73", "at": "2026-03-01T08:02:10Z", "phase": "climbing", "previous": "armed", "reason": "", "eta_s": null, "kind": "phase_changed"}');


--
-- Data for Name: idempotency_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.idempotency_keys VALUES ('demo', 'k1', 'd522b3634b4e376993dcefc4dad37daf6d4b4efc7135794faa77ce7e53a5847b', 'ord_01KJM6JM008GQ741755PS246JR', '2026-03-01 08:00:00+00');
INSERT INTO public.idempotency_keys VALUES ('demo', 'k2', 'e7e6268c01989bfbe4190a7fdf11f18ea4a7bf8d4614abb5160f2762c26af771', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', '2026-03-01 08:01:40+00');


--
-- Data for Name: missions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.missions VALUES ('mis_01KJM6JM000ZA52GRHJFKC7WSS', 'ord_01KJM6JM008GQ741755PS246JR', 1, 'flt_01KJM6JM00Y1P04PT17Y59M0GY', 'bao-01', 'st-baoan-centre', 'lp-baoan-stadium', '{"plan_id": "plan_01KJM6JM0038NZ3ZA2MABNBN61", "drone_id": "bao-01", "station_id": "st-baoan-centre", "landing_point_id": "lp-baoan-stadium", "airframe_id": "hex10", "home": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "delivery": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "delivery_ground_amsl_m": 6.0, "delivery_method": "WINCH", "hover_budget_s": 60.0, "outbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "inbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "rally_points": [], "autopilot_fence": {"inclusion": [{"latitude_deg": 22.5, "longitude_deg": 113.8}, {"latitude_deg": 22.5, "longitude_deg": 114.0}, {"latitude_deg": 22.7, "longitude_deg": 114.0}], "exclusions": [], "ceiling_amsl_m": 150.0}, "wind": {"from_deg": 0.0, "speed_m_s": 0.0, "measured_at": "2026-03-01T08:00:00Z", "gust_m_s": null}, "route_objective": "SHORTEST", "kinematics": {"acceptance_radius_m": 5.0, "ground_speed_max_m_s": 20.0, "climb_rate_m_s": 6.0, "descent_rate_m_s": 4.5, "landing_rate_m_s": 0.6, "landing_slow_below_m": 8.0, "acceleration_m_s2": 4.0, "vertical_acceleration_m_s2": 2.5}, "corridor_half_width_m": 30.0, "timing": {"preparation_s": 4.0, "climb_s": 10.0, "outbound_s": 60.0, "descent_s": 10.0, "lower_s": 10.0, "time_to_aed_on_ground_s": 94.0, "carry_s": 60.0, "time_to_patient_s": 154.0, "hover_s": 60.0, "inbound_climb_s": 10.0, "inbound_s": 60.0, "landing_s": 10.0, "total_s": 244.0}, "energy": {"outbound_wh": 15.0, "hover_wh": 10.0, "inbound_wh": 15.0, "total_wh": 40.0, "uncertainty_wh": 5.0, "reserve_wh": 5.0, "usable_wh": 100.0}, "airspace_version": "test-1", "terrain": "flat", "authorisation_ids": [], "conditions": [], "created_at": "2026-03-01T08:00:00Z", "valid_until": "2026-03-01T08:02:00Z", "retrace": [], "contingencies": [], "point_of_no_return": null, "alternates": []}', 'cmd_01KJM6JM00MS40D0WYQ42VDSQ3', '2026-03-01 08:00:00+00', 'ended', '2026-03-01 08:00:00+00', '2026-03-01 08:00:30+00', '2026-03-01 08:01:20+00', NULL, '2026-03-01 08:01:40+00', 'on_pad', '');
INSERT INTO public.missions VALUES ('mis_01KJM6NNN0JV469CPJQJ0NMHY5', 'ord_01KJM6NNN092Z4VACF3MR9KZFN', 1, 'flt_01KJM6NNN0SGHBWS91SGZ28D73', 'bao-01', 'st-baoan-centre', 'lp-baoan-stadium', '{"plan_id": "plan_01KJM6NNN0Y3FXH834VXZXCC8P", "drone_id": "bao-01", "station_id": "st-baoan-centre", "landing_point_id": "lp-baoan-stadium", "airframe_id": "hex10", "home": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "delivery": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "delivery_ground_amsl_m": 6.0, "delivery_method": "WINCH", "hover_budget_s": 60.0, "outbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "inbound": [{"kind": "CLIMB", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 21.0}, "end": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "CRUISE", "start": {"position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}, {"kind": "DESCENT", "start": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 86.0}, "end": {"position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "altitude_amsl_m": 6.0}, "length_m": 100.0, "ground_speed_m_s": 0.0, "duration_s": 10.0, "energy_wh": 5.0}], "rally_points": [], "autopilot_fence": {"inclusion": [{"latitude_deg": 22.5, "longitude_deg": 113.8}, {"latitude_deg": 22.5, "longitude_deg": 114.0}, {"latitude_deg": 22.7, "longitude_deg": 114.0}], "exclusions": [], "ceiling_amsl_m": 150.0}, "wind": {"from_deg": 0.0, "speed_m_s": 0.0, "measured_at": "2026-03-01T08:01:40Z", "gust_m_s": null}, "route_objective": "SHORTEST", "kinematics": {"acceptance_radius_m": 5.0, "ground_speed_max_m_s": 20.0, "climb_rate_m_s": 6.0, "descent_rate_m_s": 4.5, "landing_rate_m_s": 0.6, "landing_slow_below_m": 8.0, "acceleration_m_s2": 4.0, "vertical_acceleration_m_s2": 2.5}, "corridor_half_width_m": 30.0, "timing": {"preparation_s": 4.0, "climb_s": 10.0, "outbound_s": 60.0, "descent_s": 10.0, "lower_s": 10.0, "time_to_aed_on_ground_s": 94.0, "carry_s": 60.0, "time_to_patient_s": 154.0, "hover_s": 60.0, "inbound_climb_s": 10.0, "inbound_s": 60.0, "landing_s": 10.0, "total_s": 244.0}, "energy": {"outbound_wh": 15.0, "hover_wh": 10.0, "inbound_wh": 15.0, "total_wh": 40.0, "uncertainty_wh": 5.0, "reserve_wh": 5.0, "usable_wh": 100.0}, "airspace_version": "test-1", "terrain": "flat", "authorisation_ids": [], "conditions": [], "created_at": "2026-03-01T08:01:40Z", "valid_until": "2026-03-01T08:03:40Z", "retrace": [], "contingencies": [], "point_of_no_return": null, "alternates": []}', 'cmd_01KJM6NNN0FBR0HNNFAZD72528', '2026-03-01 08:01:40+00', 'climbing', '2026-03-01 08:01:40+00', '2026-03-01 08:02:10+00', NULL, NULL, NULL, NULL, NULL);


--
-- Data for Name: orders; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.orders VALUES ('ord_01KJM6JM008GQ741755PS246JR', 'demo', 'CLOSED', 11, '2026-03-01 08:00:00+00', '{"position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}, "severity": "I", "floor": 3, "notes": "\u7537\uff0c58\u5c81\uff0c\u65e0\u610f\u8bc6", "incident_reference": "BA-1", "caller": {"name": "\u674e\u5973\u58eb", "phone": "13800000000"}, "callback_url": "https://centre.example/cb"}', 22.5601, 113.8901, 'I', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', '{"outcome": "accepted", "decided_at": "2026-03-01T08:00:00+00:00", "airspace_version": "test-1", "reasons": [], "candidates": [{"station_id": "st-baoan-centre", "drone_id": "bao-01", "landing_point_id": "lp-baoan-stadium", "verdict": "chosen", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-xixiang", "drone_id": "bao-02", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-baoan-park", "drone_id": "bao-03", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-tiezai", "drone_id": "bao-04", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}], "flight_id": "flt_01KJM6JM00Y1P04PT17Y59M0GY", "plan_id": "plan_01KJM6JM0038NZ3ZA2MABNBN61", "drone_id": "bao-01", "station_id": "st-baoan-centre", "station_position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "landing_point_id": "lp-baoan-stadium", "landing_point_position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "delivery_method": "WINCH", "eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "eta_drone_home_s": 244.0, "conditions": [], "authorisation_ids": []}', '2026-03-01 08:00:00+00', '2026-03-01 08:00:30+00', '2026-03-01 08:01:20+00', '2026-03-01 08:01:40+00');
INSERT INTO public.orders VALUES ('ord_01KJM6NNN092Z4VACF3MR9KZFN', 'demo', 'AIRBORNE', 6, '2026-03-01 08:01:40+00', '{"position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}, "severity": "I", "floor": null, "notes": "line\nbreak ''quoted''", "incident_reference": null, "caller": {"name": "O''Brien", "phone": null}, "callback_url": null}', 22.5601, 113.8901, 'I', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', '{"outcome": "accepted", "decided_at": "2026-03-01T08:01:40+00:00", "airspace_version": "test-1", "reasons": [], "candidates": [{"station_id": "st-baoan-centre", "drone_id": "bao-01", "landing_point_id": "lp-baoan-stadium", "verdict": "chosen", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-xixiang", "drone_id": "bao-02", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-baoan-park", "drone_id": "bao-03", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}, {"station_id": "st-tiezai", "drone_id": "bao-04", "landing_point_id": "lp-baoan-stadium", "verdict": "possible", "reasons": [], "time_to_patient_s": 154.0, "least_time_to_patient_s": 94.0}], "flight_id": "flt_01KJM6NNN0SGHBWS91SGZ28D73", "plan_id": "plan_01KJM6NNN0Y3FXH834VXZXCC8P", "drone_id": "bao-01", "station_id": "st-baoan-centre", "station_position": {"latitude_deg": 22.5548, "longitude_deg": 113.8838}, "landing_point_id": "lp-baoan-stadium", "landing_point_position": {"latitude_deg": 22.5622, "longitude_deg": 113.8785}, "delivery_method": "WINCH", "eta_aed_on_ground_s": 94.0, "eta_patient_s": 154.0, "eta_drone_home_s": 244.0, "conditions": [], "authorisation_ids": []}', '2026-03-01 08:01:40+00', '2026-03-01 08:02:10+00', NULL, NULL);


--
-- Data for Name: outbox; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.outbox VALUES (1, 'cmd_01KJM6JM00MS40D0WYQ42VDSQ3', 'fleet.bao-01.commands', '{"command_id":"cmd_01KJM6JM00MS40D0WYQ42VDSQ3","drone_id":"bao-01","flight_id":"flt_01KJM6JM00Y1P04PT17Y59M0GY","order_id":"ord_01KJM6JM008GQ741755PS246JR","plan":{"plan_id":"plan_01KJM6JM0038NZ3ZA2MABNBN61","drone_id":"bao-01","station_id":"st-baoan-centre","landing_point_id":"lp-baoan-stadium","airframe_id":"hex10","home":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"delivery":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"delivery_ground_amsl_m":6.0,"delivery_method":"WINCH","hover_budget_s":60.0,"outbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"inbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"rally_points":[],"autopilot_fence":{"inclusion":[{"latitude_deg":22.5,"longitude_deg":113.8},{"latitude_deg":22.5,"longitude_deg":114.0},{"latitude_deg":22.7,"longitude_deg":114.0}],"exclusions":[],"ceiling_amsl_m":150.0},"wind":{"from_deg":0.0,"speed_m_s":0.0,"measured_at":"2026-03-01T08:00:00Z","gust_m_s":null},"route_objective":"SHORTEST","kinematics":{"acceptance_radius_m":5.0,"ground_speed_max_m_s":20.0,"climb_rate_m_s":6.0,"descent_rate_m_s":4.5,"landing_rate_m_s":0.6,"landing_slow_below_m":8.0,"acceleration_m_s2":4.0,"vertical_acceleration_m_s2":2.5},"corridor_half_width_m":30.0,"timing":{"preparation_s":4.0,"climb_s":10.0,"outbound_s":60.0,"descent_s":10.0,"lower_s":10.0,"time_to_aed_on_ground_s":94.0,"carry_s":60.0,"time_to_patient_s":154.0,"hover_s":60.0,"inbound_climb_s":10.0,"inbound_s":60.0,"landing_s":10.0,"total_s":244.0},"energy":{"outbound_wh":15.0,"hover_wh":10.0,"inbound_wh":15.0,"total_wh":40.0,"uncertainty_wh":5.0,"reserve_wh":5.0,"usable_wh":100.0},"airspace_version":"test-1","terrain":"flat","authorisation_ids":[],"conditions":[],"created_at":"2026-03-01T08:00:00Z","valid_until":"2026-03-01T08:02:00Z","retrace":[],"contingencies":[],"point_of_no_return":null,"alternates":[]},"issued_at":"2026-03-01T08:00:00Z","kind":"fly_mission"}', 'fly_mission', 'bao-01', 'mis_01KJM6JM000ZA52GRHJFKC7WSS', '2026-03-01 08:00:00+00', '2026-03-01 08:00:00+00', 1, '2026-03-01 08:00:00+00', 'accepted');
INSERT INTO public.outbox VALUES (2, 'cmd_01KJM6NNN0FBR0HNNFAZD72528', 'fleet.bao-01.commands', '{"command_id":"cmd_01KJM6NNN0FBR0HNNFAZD72528","drone_id":"bao-01","flight_id":"flt_01KJM6NNN0SGHBWS91SGZ28D73","order_id":"ord_01KJM6NNN092Z4VACF3MR9KZFN","plan":{"plan_id":"plan_01KJM6NNN0Y3FXH834VXZXCC8P","drone_id":"bao-01","station_id":"st-baoan-centre","landing_point_id":"lp-baoan-stadium","airframe_id":"hex10","home":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"delivery":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"delivery_ground_amsl_m":6.0,"delivery_method":"WINCH","hover_budget_s":60.0,"outbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"inbound":[{"kind":"CLIMB","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":21.0},"end":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"CRUISE","start":{"position":{"latitude_deg":22.5622,"longitude_deg":113.8785},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0},{"kind":"DESCENT","start":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":86.0},"end":{"position":{"latitude_deg":22.5548,"longitude_deg":113.8838},"altitude_amsl_m":6.0},"length_m":100.0,"ground_speed_m_s":0.0,"duration_s":10.0,"energy_wh":5.0}],"rally_points":[],"autopilot_fence":{"inclusion":[{"latitude_deg":22.5,"longitude_deg":113.8},{"latitude_deg":22.5,"longitude_deg":114.0},{"latitude_deg":22.7,"longitude_deg":114.0}],"exclusions":[],"ceiling_amsl_m":150.0},"wind":{"from_deg":0.0,"speed_m_s":0.0,"measured_at":"2026-03-01T08:01:40Z","gust_m_s":null},"route_objective":"SHORTEST","kinematics":{"acceptance_radius_m":5.0,"ground_speed_max_m_s":20.0,"climb_rate_m_s":6.0,"descent_rate_m_s":4.5,"landing_rate_m_s":0.6,"landing_slow_below_m":8.0,"acceleration_m_s2":4.0,"vertical_acceleration_m_s2":2.5},"corridor_half_width_m":30.0,"timing":{"preparation_s":4.0,"climb_s":10.0,"outbound_s":60.0,"descent_s":10.0,"lower_s":10.0,"time_to_aed_on_ground_s":94.0,"carry_s":60.0,"time_to_patient_s":154.0,"hover_s":60.0,"inbound_climb_s":10.0,"inbound_s":60.0,"landing_s":10.0,"total_s":244.0},"energy":{"outbound_wh":15.0,"hover_wh":10.0,"inbound_wh":15.0,"total_wh":40.0,"uncertainty_wh":5.0,"reserve_wh":5.0,"usable_wh":100.0},"airspace_version":"test-1","terrain":"flat","authorisation_ids":[],"conditions":[],"created_at":"2026-03-01T08:01:40Z","valid_until":"2026-03-01T08:03:40Z","retrace":[],"contingencies":[],"point_of_no_return":null,"alternates":[]},"issued_at":"2026-03-01T08:01:40Z","kind":"fly_mission"}', 'fly_mission', 'bao-01', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', '2026-03-01 08:01:40+00', '2026-03-01 08:01:40+00', 1, '2026-03-01 08:01:40+00', 'accepted');


--
-- Data for Name: reservations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.reservations VALUES ('bao-01', 'mis_01KJM6NNN0JV469CPJQJ0NMHY5', '2026-03-01 08:01:40+00');


--
-- Name: callbacks_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.callbacks_seq_seq', 7, true);


--
-- Name: events_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.events_seq_seq', 26, true);


--
-- Name: outbox_seq_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.outbox_seq_seq', 2, true);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: api_keys pk_api_keys; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT pk_api_keys PRIMARY KEY (key_id);


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

\unrestrict 7YpEMXOJcWZAfXh8GVOSnQVyhRwNqlbP3YxMr80TfHvoVBMfnNse1lSSPcBbWx1

