<?php
/**
 * Makes configuration.php in the present folder the one of this instance, with the mode that Joomla gives it.
 */

$file   = 'configuration.php';
$values = [
	'host'             => 'localhost:' . getenv( 'DB_SOCKET' ),
	'user'             => getenv( 'DB_USER' ),
	'password'         => getenv( 'DB_PASSWORD' ),
	'db'               => getenv( 'DB_NAME' ),
	'log_path'         => getcwd() . '/administrator/logs',
	'tmp_path'         => getcwd() . '/tmp',
	// What visitors leave behind must not hide whether a site is as it was.
	'session_handler'  => 'filesystem',
	'session_metadata' => false,
	'dbtype'           => 'mysqli',
];
$text   = file_get_contents( $file );
foreach ( $values as $name => $value ) {
	$line = "public \$$name = " . var_export( $value, true ) . ';';
	$text = preg_replace_callback( "/public \\$$name = (?:'(?:[^'\\\\]|\\\\.)*'|[^;]*);/", static fn() => $line, $text, 1 );
}
is_file( $file ) && chmod( $file, 0644 );
file_put_contents( $file, $text );
chmod( $file, 0444 );
