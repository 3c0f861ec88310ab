<?php
define( 'DB_NAME', '@DB_NAME@' );
define( 'DB_USER', '@DB_USER@' );
define( 'DB_PASSWORD', '@DB_PASSWORD@' );
define( 'DB_HOST', 'localhost:@DIR@/run/db.sock' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
define( 'AUTH_KEY',         'testbed-auth' );
define( 'SECURE_AUTH_KEY',  'testbed-secure-auth' );
define( 'LOGGED_IN_KEY',    'testbed-logged-in' );
define( 'NONCE_KEY',        'testbed-nonce' );
define( 'AUTH_SALT',        'testbed-auth-salt' );
define( 'SECURE_AUTH_SALT', 'testbed-secure-auth-salt' );
define( 'LOGGED_IN_SALT',   'testbed-logged-in-salt' );
define( 'NONCE_SALT',       'testbed-nonce-salt' );
$table_prefix = 'wp_';
define( 'WP_DEBUG', false );
define( 'DISABLE_WP_CRON', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_AUTO_UPDATE_CORE', false );
if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
