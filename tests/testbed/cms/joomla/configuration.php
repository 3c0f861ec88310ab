<?php
// STAND-IN for Joomla: a configuration in the form of a real one.
class JConfig {
	public $offline = false;
	public $offline_message = 'This site is down for maintenance.<br>Please check back again soon.';
	public $sitename = 'Chez Lucie & fils';
	public $dbtype = 'mysqli';
	public $host = 'localhost';
	public $user = '';
	public $password = '';
	public $db = '';
	public $dbprefix = 'jos_';
	public $dbencryption = 0;
	public $secret = 'testbed';
	public $live_site = '';
	public $session_handler = 'filesystem';
	public $session_metadata = false;
	public $log_path = '';
	public $tmp_path = '';
	public $error_reporting = 'default';
}
