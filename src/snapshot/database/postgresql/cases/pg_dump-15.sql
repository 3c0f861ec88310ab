--
-- PostgreSQL database dump
--

\restrict pzdfnppEF9FZdv6h0ebac1Gf6ctEpMSWj11iPMSDPWjyt6uCXsaCUwi5iQ7LnX9

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: other one; Type: SCHEMA; Schema: -; Owner: shop
--

CREATE SCHEMA "other one";


ALTER SCHEMA "other one" OWNER TO shop;

--
-- Name: german; Type: COLLATION; Schema: public; Owner: shop
--

CREATE COLLATION public.german (provider = icu, locale = 'de');


ALTER COLLATION public.german OWNER TO shop;

--
-- Name: citext; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;


--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';


--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: floatrange; Type: TYPE; Schema: public; Owner: shop
--

CREATE TYPE public.floatrange AS RANGE (
    subtype = double precision,
    multirange_type_name = public.floatmultirange,
    subtype_diff = float8mi
);


ALTER TYPE public.floatrange OWNER TO shop;

--
-- Name: mood; Type: TYPE; Schema: public; Owner: shop
--

CREATE TYPE public.mood AS ENUM (
    'sad',
    'ok',
    'happy'
);


ALTER TYPE public.mood OWNER TO shop;

--
-- Name: pair; Type: TYPE; Schema: public; Owner: shop
--

CREATE TYPE public.pair AS (
	a integer,
	b text
);


ALTER TYPE public.pair OWNER TO shop;

--
-- Name: posint; Type: DOMAIN; Schema: public; Owner: shop
--

CREATE DOMAIN public.posint AS integer
	CONSTRAINT posint_check CHECK ((VALUE > 0));


ALTER DOMAIN public.posint OWNER TO shop;

--
-- Name: CAST (public.pair AS text); Type: CAST; Schema: -; Owner: -
--

CREATE CAST (public.pair AS text) WITH INOUT;


--
-- Name: f(integer, character varying); Type: FUNCTION; Schema: public; Owner: shop
--

CREATE FUNCTION public.f(x integer, y character varying DEFAULT 'a'::character varying) RETURNS integer
    LANGUAGE plpgsql
    AS $_$ begin -- Name: evil; Type: TABLE
 return x + length('$$ '' ;
--
-- Name: evil; Type: TABLE; Schema: public; Owner: shop
--
'); end $_$;


ALTER FUNCTION public.f(x integer, y character varying) OWNER TO shop;

--
-- Name: g(integer); Type: FUNCTION; Schema: public; Owner: shop
--

CREATE FUNCTION public.g(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT (a + 1);
 SELECT (a + 2);
END;


ALTER FUNCTION public.g(a integer) OWNER TO shop;

--
-- Name: pr(integer); Type: PROCEDURE; Schema: public; Owner: shop
--

CREATE PROCEDURE public.pr(IN x integer)
    LANGUAGE sql
    AS $$select 1; select 2$$;


ALTER PROCEDURE public.pr(IN x integer) OWNER TO shop;

--
-- Name: trg(); Type: FUNCTION; Schema: public; Owner: shop
--

CREATE FUNCTION public.trg() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ begin new.kind := coalesce(new.kind,'none') || '+'; return new; end $$;


ALTER FUNCTION public.trg() OWNER TO shop;

--
-- Name: agg(integer); Type: AGGREGATE; Schema: public; Owner: shop
--

CREATE AGGREGATE public.agg(integer) (
    SFUNC = int4pl,
    STYPE = integer,
    INITCOND = '0'
);


ALTER AGGREGATE public.agg(integer) OWNER TO shop;

--
-- Name: ===; Type: OPERATOR; Schema: public; Owner: shop
--

CREATE OPERATOR public.=== (
    FUNCTION = int4eq,
    LEFTARG = integer,
    RIGHTARG = integer
);


ALTER OPERATOR public.=== (integer, integer) OWNER TO shop;

--
-- Name: tsc; Type: TEXT SEARCH CONFIGURATION; Schema: public; Owner: shop
--

CREATE TEXT SEARCH CONFIGURATION public.tsc (
    PARSER = pg_catalog."default" );

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR asciiword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR word WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR numword WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR email WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR url WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR host WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR sfloat WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR version WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR hword_numpart WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR hword_part WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR hword_asciipart WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR numhword WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR asciihword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR hword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR url_path WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR file WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR "float" WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR "int" WITH simple;

ALTER TEXT SEARCH CONFIGURATION public.tsc
    ADD MAPPING FOR uint WITH simple;


ALTER TEXT SEARCH CONFIGURATION public.tsc OWNER TO shop;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: t; Type: TABLE; Schema: other one; Owner: shop
--

CREATE TABLE "other one".t (
    id integer NOT NULL
);


ALTER TABLE "other one".t OWNER TO shop;

--
-- Name: Odd "name; Type: VIEW; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public."Odd ""name; Type: VIEW" (
    "Col 1" text,
    "select" integer
);


ALTER TABLE public."Odd ""name; Type: VIEW" OWNER TO shop;

--
-- Name: base; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.base (
    a integer,
    b text
);


ALTER TABLE public.base OWNER TO shop;

--
-- Name: child; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.child (
    c integer
)
INHERITS (public.base);


ALTER TABLE public.child OWNER TO shop;

--
-- Name: kinds; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.kinds (
    id integer NOT NULL,
    n numeric(20,5),
    f double precision,
    b bytea,
    j json,
    jb jsonb,
    a integer[],
    t text[],
    m public.mood,
    p public.posint,
    r int4range,
    fr public.floatrange,
    at timestamp with time zone DEFAULT now(),
    d date,
    iv interval,
    u uuid,
    ip inet,
    bits bit varying(10),
    c character(5),
    ci public.citext,
    x xml,
    pr public.pair,
    tv tsvector,
    bo boolean,
    mo money,
    pt point
);


ALTER TABLE public.kinds OWNER TO shop;

--
-- Name: kinds_id_seq; Type: SEQUENCE; Schema: public; Owner: shop
--

CREATE SEQUENCE public.kinds_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.kinds_id_seq OWNER TO shop;

--
-- Name: kinds_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: shop
--

ALTER SEQUENCE public.kinds_id_seq OWNED BY public.kinds.id;


--
-- Name: people; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.people (
    id bigint NOT NULL,
    name character varying(60) NOT NULL,
    state character varying(10),
    full_name text GENERATED ALWAYS AS (((name)::text || '!'::text)) STORED,
    boss bigint,
    best bigint,
    CONSTRAINT people_state_check CHECK (((state)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[])))
);


ALTER TABLE public.people OWNER TO shop;

--
-- Name: TABLE people; Type: COMMENT; Schema: public; Owner: shop
--

COMMENT ON TABLE public.people IS 'all; of them';


--
-- Name: COLUMN people.name; Type: COMMENT; Schema: public; Owner: shop
--

COMMENT ON COLUMN public.people.name IS 'a
b';


--
-- Name: mv; Type: MATERIALIZED VIEW; Schema: public; Owner: shop
--

CREATE MATERIALIZED VIEW public.mv AS
 SELECT count(*) AS n
   FROM public.people
  WITH NO DATA;


ALTER TABLE public.mv OWNER TO shop;

--
-- Name: parted; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.parted (
    id integer NOT NULL,
    at date NOT NULL,
    v text
)
PARTITION BY RANGE (at);


ALTER TABLE public.parted OWNER TO shop;

--
-- Name: parted_a; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.parted_a (
    id integer NOT NULL,
    at date NOT NULL,
    v text
);


ALTER TABLE public.parted_a OWNER TO shop;

--
-- Name: parted_b; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.parted_b (
    id integer NOT NULL,
    at date NOT NULL,
    v text
);


ALTER TABLE public.parted_b OWNER TO shop;

--
-- Name: people_id_seq; Type: SEQUENCE; Schema: public; Owner: shop
--

ALTER TABLE public.people ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.people_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: pets; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.pets (
    id bigint NOT NULL,
    owner bigint,
    kind text
);


ALTER TABLE public.pets OWNER TO shop;

--
-- Name: pets_id_seq; Type: SEQUENCE; Schema: public; Owner: shop
--

ALTER TABLE public.pets ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.pets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: refs; Type: TABLE; Schema: public; Owner: shop
--

CREATE TABLE public.refs (
    id integer,
    at date
);


ALTER TABLE public.refs OWNER TO shop;

--
-- Name: sq; Type: SEQUENCE; Schema: public; Owner: shop
--

CREATE SEQUENCE public.sq
    START WITH 10
    INCREMENT BY 5
    NO MINVALUE
    MAXVALUE 1000
    CACHE 1
    CYCLE;


ALTER TABLE public.sq OWNER TO shop;

--
-- Name: sq2; Type: SEQUENCE; Schema: public; Owner: shop
--

CREATE SEQUENCE public.sq2
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.sq2 OWNER TO shop;

--
-- Name: v1; Type: VIEW; Schema: public; Owner: shop
--

CREATE VIEW public.v1 AS
 SELECT people.id,
    people.name,
    people.state,
    people.full_name,
    people.boss,
    people.best
   FROM public.people
  WHERE (((people.state)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[])) AND ((people.name)::text ~~ '%\%'::text));


ALTER TABLE public.v1 OWNER TO shop;

--
-- Name: v2; Type: VIEW; Schema: public; Owner: shop
--

CREATE VIEW public.v2 AS
 SELECT v1.id,
    p.kind
   FROM (public.v1
     JOIN public.pets p ON ((p.owner = v1.id)));


ALTER TABLE public.v2 OWNER TO shop;

--
-- Name: parted_a; Type: TABLE ATTACH; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.parted ATTACH PARTITION public.parted_a FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');


--
-- Name: parted_b; Type: TABLE ATTACH; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.parted ATTACH PARTITION public.parted_b DEFAULT;


--
-- Name: kinds id; Type: DEFAULT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.kinds ALTER COLUMN id SET DEFAULT nextval('public.kinds_id_seq'::regclass);


--
-- Data for Name: t; Type: TABLE DATA; Schema: other one; Owner: shop
--

COPY "other one".t (id) FROM stdin;
1
\.


--
-- Data for Name: Odd "name; Type: VIEW; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public."Odd ""name; Type: VIEW" ("Col 1", "select") FROM stdin;
\\	1
\.


--
-- Data for Name: base; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.base (a, b) FROM stdin;
1	x
\.


--
-- Data for Name: child; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.child (a, b, c) FROM stdin;
2	y	3
\.


--
-- Data for Name: kinds; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.kinds (id, n, f, b, j, jb, a, t, m, p, r, fr, at, d, iv, u, ip, bits, c, ci, x, pr, tv, bo, mo, pt) FROM stdin;
1	1.50000	NaN	\\x00ff0a5c	{"a": [1, 2]}	{"b": "x\\\\\\\\y"}	{1,2,NULL}	{"a\\\\b",.,NULL}	ok	3	[1,5)	[1.5,2.5]	2026-11-23 11:27:09.114162+00	4713-01-01 BC	-1 days +02:00:00	a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11	10.0.0.0/8	101	ab   	CiText	<a>1</a>	(1,"x y")	'cat' 'fat'	t	$12.50	(1,2)
\.


--
-- Data for Name: parted_a; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.parted_a (id, at, v) FROM stdin;
1	2020-07-01	v1
2	2020-07-31	v2
3	2020-08-30	v3
4	2020-09-29	v4
5	2020-10-29	v5
6	2020-11-28	v6
7	2020-12-28	v7
\.


--
-- Data for Name: parted_b; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.parted_b (id, at, v) FROM stdin;
8	2021-01-27	v8
9	2021-02-26	v9
10	2021-03-28	v10
11	2021-04-27	v11
12	2021-05-27	v12
13	2021-06-26	v13
14	2021-07-26	v14
15	2021-08-25	v15
16	2021-09-24	v16
17	2021-10-24	v17
18	2021-11-23	v18
19	2021-12-23	v19
20	2022-01-22	v20
21	2022-02-21	v21
22	2022-03-23	v22
23	2022-04-22	v23
24	2022-05-22	v24
25	2022-06-21	v25
26	2022-07-21	v26
27	2022-08-20	v27
28	2022-09-19	v28
29	2022-10-19	v29
30	2022-11-18	v30
31	2022-12-18	v31
32	2023-01-17	v32
33	2023-02-16	v33
34	2023-03-18	v34
35	2023-04-17	v35
36	2023-05-17	v36
37	2023-06-16	v37
38	2023-07-16	v38
39	2023-08-15	v39
40	2023-09-14	v40
\.


--
-- Data for Name: people; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.people (id, name, state, boss, best) FROM stdin;
2	tab\there\nline\\.\n\\N	old	\N	\N
1	Zoë 🎉	new	2	1
\.


--
-- Data for Name: pets; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.pets (id, owner, kind) FROM stdin;
1	1	cat
2	2	\N
\.


--
-- Data for Name: refs; Type: TABLE DATA; Schema: public; Owner: shop
--

COPY public.refs (id, at) FROM stdin;
1	2020-07-01
2	2020-07-31
3	2020-08-30
\.


--
-- Name: kinds_id_seq; Type: SEQUENCE SET; Schema: public; Owner: shop
--

SELECT pg_catalog.setval('public.kinds_id_seq', 1, true);


--
-- Name: people_id_seq; Type: SEQUENCE SET; Schema: public; Owner: shop
--

SELECT pg_catalog.setval('public.people_id_seq', 2, true);


--
-- Name: pets_id_seq; Type: SEQUENCE SET; Schema: public; Owner: shop
--

SELECT pg_catalog.setval('public.pets_id_seq', 2, true);


--
-- Name: sq; Type: SEQUENCE SET; Schema: public; Owner: shop
--

SELECT pg_catalog.setval('public.sq', 10, true);


--
-- Name: sq2; Type: SEQUENCE SET; Schema: public; Owner: shop
--

SELECT pg_catalog.setval('public.sq2', 1, false);


--
-- Name: t t_pkey; Type: CONSTRAINT; Schema: other one; Owner: shop
--

ALTER TABLE ONLY "other one".t
    ADD CONSTRAINT t_pkey PRIMARY KEY (id);


--
-- Name: pets k; Type: CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.pets
    ADD CONSTRAINT k UNIQUE (kind, owner);


--
-- Name: kinds kinds_pkey; Type: CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.kinds
    ADD CONSTRAINT kinds_pkey PRIMARY KEY (id);


--
-- Name: parted parted_pkey; Type: CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.parted
    ADD CONSTRAINT parted_pkey PRIMARY KEY (id, at);


--
-- Name: parted_a parted_a_pkey; Type: CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.parted_a
    ADD CONSTRAINT parted_a_pkey PRIMARY KEY (id, at);


--
-- Name: parted_b parted_b_pkey; Type: CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.parted_b
    ADD CONSTRAINT parted_b_pkey PRIMARY KEY (id, at);


--
-- Name: people people_pkey; Type: CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_pkey PRIMARY KEY (id);


--
-- Name: pets pets_pkey; Type: CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.pets
    ADD CONSTRAINT pets_pkey PRIMARY KEY (id);


--
-- Name: e; Type: INDEX; Schema: public; Owner: shop
--

CREATE INDEX e ON public.people USING btree (lower((name)::text));


--
-- Name: gi; Type: INDEX; Schema: public; Owner: shop
--

CREATE INDEX gi ON public.kinds USING gin (jb);


--
-- Name: mv_n_idx; Type: INDEX; Schema: public; Owner: shop
--

CREATE UNIQUE INDEX mv_n_idx ON public.mv USING btree (n);


--
-- Name: people_name_idx; Type: INDEX; Schema: public; Owner: shop
--

CREATE INDEX people_name_idx ON public.people USING btree (name) WHERE ((state)::text = 'new'::text);


--
-- Name: parted_a_pkey; Type: INDEX ATTACH; Schema: public; Owner: shop
--

ALTER INDEX public.parted_pkey ATTACH PARTITION public.parted_a_pkey;


--
-- Name: parted_b_pkey; Type: INDEX ATTACH; Schema: public; Owner: shop
--

ALTER INDEX public.parted_pkey ATTACH PARTITION public.parted_b_pkey;


--
-- Name: st; Type: STATISTICS; Schema: public; Owner: shop
--

CREATE STATISTICS public.st ON id, n FROM public.kinds;


ALTER STATISTICS public.st OWNER TO shop;

--
-- Name: base r1; Type: RULE; Schema: public; Owner: shop
--

CREATE RULE r1 AS
    ON UPDATE TO public.base
   WHERE (new.a = 99) DO INSTEAD ( INSERT INTO public.child (a, b, c)
  VALUES (9, 'r'::text, 9);
 SELECT 1 AS "?column?";
);


--
-- Name: pets t1; Type: TRIGGER; Schema: public; Owner: shop
--

CREATE TRIGGER t1 BEFORE INSERT OR UPDATE ON public.pets FOR EACH ROW EXECUTE FUNCTION public.trg();


--
-- Name: pets t2; Type: TRIGGER; Schema: public; Owner: shop
--

CREATE TRIGGER t2 BEFORE INSERT ON public.pets FOR EACH ROW EXECUTE FUNCTION public.trg();

ALTER TABLE public.pets DISABLE TRIGGER t2;


--
-- Name: people best_fk; Type: FK CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.people
    ADD CONSTRAINT best_fk FOREIGN KEY (best) REFERENCES public.pets(id);


--
-- Name: CONSTRAINT best_fk ON people; Type: COMMENT; Schema: public; Owner: shop
--

COMMENT ON CONSTRAINT best_fk ON public.people IS 'it''s a cycle';


--
-- Name: people people_boss_fkey; Type: FK CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_boss_fkey FOREIGN KEY (boss) REFERENCES public.people(id);


--
-- Name: pets pets_owner_fkey; Type: FK CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.pets
    ADD CONSTRAINT pets_owner_fkey FOREIGN KEY (owner) REFERENCES public.people(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;


--
-- Name: refs refs_id_at_fkey; Type: FK CONSTRAINT; Schema: public; Owner: shop
--

ALTER TABLE ONLY public.refs
    ADD CONSTRAINT refs_id_at_fkey FOREIGN KEY (id, at) REFERENCES public.parted(id, at);


--
-- Name: refs po; Type: POLICY; Schema: public; Owner: shop
--

CREATE POLICY po ON public.refs USING ((id = ANY (ARRAY[1, 2])));


--
-- Name: refs; Type: ROW SECURITY; Schema: public; Owner: shop
--

ALTER TABLE public.refs ENABLE ROW LEVEL SECURITY;

--
-- Name: TABLE people; Type: ACL; Schema: public; Owner: shop
--

GRANT SELECT ON TABLE public.people TO PUBLIC;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: -; Owner: shop
--

ALTER DEFAULT PRIVILEGES FOR ROLE shop GRANT SELECT ON TABLES  TO PUBLIC;


--
-- Name: mv; Type: MATERIALIZED VIEW DATA; Schema: public; Owner: shop
--

REFRESH MATERIALIZED VIEW public.mv;


--
-- PostgreSQL database dump complete
--

\unrestrict pzdfnppEF9FZdv6h0ebac1Gf6ctEpMSWj11iPMSDPWjyt6uCXsaCUwi5iQ7LnX9

