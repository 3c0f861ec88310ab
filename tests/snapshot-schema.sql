create table `a t` (id int auto_increment primary key, k int default 3, b blob, t text, z datetime default '0000-00-00', g int generated always as (k*2) stored, v int as (k+1) virtual, e varchar(20)) comment='line\n-- Table structure for table `x`';
create table fk (id int primary key, a int, foreign key (a) references `a t`(id));
set sql_mode='';
insert into `a t`(b,t,z,e) values (0x00ff2700, 'it''s\n-- Table structure for table `evil`\n;', '0000-00-00', '😀');
insert into fk values (1,1);
create view v2 as select id from `a t`;
create view v1 as select v2.id, '-- Final view structure' as m from v2;
delimiter ;;
create trigger tr before insert on `a t` for each row begin
-- Table structure for table `evil`
set new.e = 'x;-- Dumping data';
end;;
create trigger tr2 after insert on `a t` for each row begin declare x int; set x=1; end;;
delimiter ;
delimiter ;;
create procedure p1(x int) begin
-- Table structure for table `evil`
/* 50003 DROP PROCEDURE IF EXISTS `evil` */
select '-- Dumping events for database'; end;;
create function f1(x int) returns int deterministic begin return x+1; end;;
set sql_mode='NO_BACKSLASH_ESCAPES';;
create function f2() returns text deterministic begin 
return 'a\'; 
end;;
set sql_mode='';;
create event ev1 on schedule every 1 day do begin
-- Table structure for table `evil`
delete from fk where id > 100; end;;
create event ev2 on schedule every 1 day do delete from fk where id > 100;;
delimiter ;
create sequence sq start with 5;
create view v3 as select '
-- Table structure for table `evil`
-- ' as x;
