<?php
// STAND-IN: as Drupal's installer leaves it. The database is in the file that it includes, as at many hosts.
$settings['config_sync_directory'] = '../config/sync';
$settings['hash_salt'] = 'testbed';
$settings['trusted_host_patterns'] = [];
$databases['default']['default'] = ['driver' => 'mysql', 'database' => 'staging', 'username' => 'nobody', 'password' => '', 'host' => 'localhost'];
if (file_exists(DRUPAL_ROOT . '/' . $site_path . '/settings.local.php')) {
  include DRUPAL_ROOT . '/' . $site_path . '/settings.local.php';
}
