<?php
/**
 * Writes the twelve plugins tb-many-01 … tb-many-12, each as 1.0 and as 1.1.
 *
 *     php many.php FOLDER
 *
 * 1.1 of tb-many-04 breaks the site by itself; 1.1 of tb-many-09 breaks it once tb-many-06 is at 1.1 too. How
 * that shows is said by the option tb_many_way: `page` (the default) on every page, `command` only to
 * who asks for the option tb_many_probe on the command line, `late` on every page once nobody is asked to wait any more.
 */
const BREAKS = array(
	'04' => 'true',
	'09' => "defined( 'TB_MANY_06' ) && '1.1' === TB_MANY_06",
);

$code = <<<'PHP'
<?php
/*
Plugin Name: Testbed Many %1$s
Description: One of many.
Version: %2$s
Requires PHP: 7.4
*/
define( 'TB_MANY_%1$s', '%2$s' );
PHP;
$breaks = <<<'PHP'

add_action(
	'init',
	static function () {
		if ( ! ( %2$s ) ) {
			return;
		}
		$cli  = defined( 'WP_CLI' ) && WP_CLI;
		$way  = get_option( 'tb_many_way', 'page' );
		$says = array(
			'page'    => ! $cli,
			'command' => $cli && ! empty( $GLOBALS['argv'] ) && in_array( 'tb_many_probe', $GLOBALS['argv'], true ),
			'late'    => ! $cli && ! file_exists( ABSPATH . '.maintenance' ),
		);
		if ( ! empty( $says[ $way ] ) ) {
			throw new Error( 'tb-many-%1$s 1.1 does not work here' );
		}
	}
);
PHP;
for ( $number = 1; $number <= 12; $number++ ) {
	$name = sprintf( '%02d', $number );
	foreach ( array( '1.0', '1.1' ) as $version ) {
		$folder = "$argv[1]/tb-many-$name/$version";
		mkdir( $folder, 0755, true );
		$text = sprintf( $code, $name, $version );
		if ( '1.1' === $version && isset( BREAKS[ $name ] ) ) {
			$text .= sprintf( $breaks, $name, BREAKS[ $name ] );
		}
		file_put_contents( "$folder/tb-many-$name.php", $text . "\n" );
		file_put_contents( "$folder/readme.txt", "=== tb-many-$name ===\nRequires at least: 6.0\nTested up to: 7.1\nStable tag: $version\n" );
	}
}
