set sql_mode='';
create table `all types` (
 id bigint unsigned auto_increment primary key, ti tinyint, tu tinyint unsigned zerofill, si smallint, mi mediumint, i int, bi bigint, bu bigint unsigned, dc decimal(65,30), f float, db double, b1 bit(1), b64 bit(64), bo boolean,
 d date, dt datetime(6), ts timestamp(6) null default null, tm time(3), y year, c char(10), vc varchar(255) character set latin1 collate latin1_german1_ci, vg varchar(50) character set greek, vu varchar(20) character set utf16, bn binary(5), vb varbinary(20), tb tinyblob, bb blob, mb mediumblob, lb longblob,
 tt tinytext, tx text, mt mediumtext, lt longtext, e enum('a','é','x''y'), s set('a','b','c d'), j json, u uuid, i4 inet4, i6 inet6,
 g geometry, p point, ls linestring, po polygon, mp multipoint, gc geometrycollection,
 gs int generated always as (i*2) stored, gv varchar(20) generated always as (concat('v',i)) virtual, inv int invisible default 5, comp text compressed,
 `select` int, `back``quote` int, `naïve 表`  int, check (i is null or i > -100000)
) comment 'odd ''comment''';
insert into `all types` (ti,tu,si,mi,i,bi,bu,dc,f,db,b1,b64,bo,d,dt,ts,tm,y,c,vc,vg,vu,bn,vb,tb,bb,mb,lb,tt,tx,mt,lt,e,s,j,u,i4,i6,g,p,ls,po,mp,gc,inv,comp,`select`,`back``quote`,`naïve 表`)
values (-128,255,-32768,-8388608,7,-9223372036854775808,18446744073709551615,12345678901234567890123456789012345.123456789012345678901234567890,1.23456789,1.7976931348623157e308,b'1',b'1000000000000000000000000000000000000000000000000000000000000001',true,'0000-00-00','0000-00-00 00:00:00','2026-01-02 03:04:05.678901','-838:59:59.999',1901,'pad   ','äö','αβ','😀',0x00ff00,0x000a0d1a,0x27,0x5c27,0x00,unhex('ff00'),'t','it''s\n\\;','m','l','é','a,c d','{"k":"😀"}','123e4567-e89b-12d3-a456-426655440000','1.2.3.4','::1',ST_GeomFromText('POINT(1 2)',4326),point(1,2),ST_GeomFromText('LINESTRING(0 0,1 1)'),ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'),ST_GeomFromText('MULTIPOINT(1 1,2 2)'),ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))'),9,'compressed',1,2,3),
(null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null);

create table `order` (id int primary key auto_increment, parent int, next int, w text, at point not null, fulltext key (w), spatial key (at)) engine=InnoDB auto_increment=4711;
insert into `order` (id, parent, next, w, at) values (1, 1, 2, 'words of a text', point(1,1)), (2, 1, null, 'other words', point(2,2));
alter table `order` add constraint own foreign key (parent) references `order`(id);
create table `left` (id int primary key, r int); create table `right` (id int primary key, l int references `left`(id));
insert into `left` values (1, 1); insert into `right` values (1, 1);
alter table `left` add constraint cyclic foreign key (r) references `right`(id);
create table mi (id int primary key auto_increment, w varchar(50), fulltext(w)) engine=MyISAM; insert into mi(w) values ('ä'), ('b');
create table ar (id int, w blob) engine=Aria transactional=1; insert into ar values (1, 0x00), (1, 0x00), (2, null);
create table nokey (a int, b text); insert into nokey values (2,'x'),(1,'y'),(2,'x');
create table parts (id int primary key, v int) partition by hash(id) partitions 3; insert into parts values (1,1),(2,2),(3,3);
create table `back``tick` (`a``b` int, `c d` varchar(9) default 'q''"', primary key (`a``b`)); insert into `back``tick` values (1,'\\'),(-1,'"');
create table empty_one (id int primary key) comment='-- Dump completed';
create sequence numbers start with -100 increment by -3 minvalue -9000; select nextval(numbers);
create view z1 as select id, w from `order`; create view m2 as select id from z1; create view a3 as select m2.id, `left`.r from m2 join `left` on `left`.id = m2.id;
create definer=root@localhost sql security invoker view `v ``odd` as select `a``b` from `back``tick` where `a``b` > 0 with check option;
create trigger first_of before insert on mi for each row set new.w = concat(new.w, ';');
create trigger second_of before insert on mi for each row follows first_of set new.w = upper(new.w);
create function twice(x int) returns int deterministic return x * 2;
delimiter //
create procedure `do it`(in a int, out b text) begin declare c int default 0; while c < a do set c = c + 1; end while; select 'a;b' into b; end//
delimiter ;
create event nightly on schedule every 1 day starts '2030-01-01 00:00:00' on completion preserve disable comment 'nacht' do delete from nokey where a > 100;
