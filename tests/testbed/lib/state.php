<?php
/**
 * Edits the state file of an instance's stand-in.
 *
 *     php state.php FILE new CATALOGUE [--broken]
 *     php state.php FILE offer core|plugin|theme|vendor [SLUG] VERSION|none
 *     php state.php FILE fault KIND [ARGUMENT...]
 *     php state.php FILE hosts          prints "away" when names must lead nowhere
 */
list( , $file, $verb ) = $argv;
$rest = array_slice( $argv, 3 );

function fail( string $why ): never {
	fwrite( STDERR, "testbed: $why\n" );
	exit( 2 );
}

if ( 'new' === $verb ) {
	$catalogue = json_decode( file_get_contents( $rest[0] ), true, 64, JSON_THROW_ON_ERROR );
	$state     = array(
		'offers' => array( 'core' => array_key_last( $catalogue['core'] ), 'plugins' => array(), 'themes' => array(), 'vendor' => '2.0' ),
		'fault'  => array( 'kind' => 'none' ),
	);
	foreach ( array( 'plugins', 'themes' ) as $kind ) {
		foreach ( $catalogue[ $kind ] as $slug => $versions ) {
			$state['offers'][ $kind ][ $slug ] = array_key_last( $versions );
		}
	}
	unset( $state['offers']['plugins']['tb-licensed'] );
	if ( ! in_array( '--broken', $rest, true ) ) {
		$state['offers']['plugins']['tb-broken'] = array_key_first( $catalogue['plugins']['tb-broken'] );
	}
} else {
	$state = json_decode( file_get_contents( $file ), true, 64, JSON_THROW_ON_ERROR );
	switch ( $verb ) {
		case 'offer':
			$kind = $rest[0] ?? '';
			if ( in_array( $kind, array( 'core', 'vendor' ), true ) && 2 === count( $rest ) ) {
				$state['offers'][ $kind ] = $rest[1];
			} elseif ( in_array( $kind, array( 'plugin', 'theme' ), true ) && 3 === count( $rest ) ) {
				$state['offers'][ $kind . 's' ][ $rest[1] ] = $rest[2];
			} else {
				fail( 'offer core VERSION|none, offer vendor VERSION|none, offer plugin|theme SLUG VERSION|none' );
			}
			break;
		case 'fault':
			$kind  = $rest[0] ?? '';
			$fault = array( 'kind' => $kind );
			if ( 'slow' === $kind ) {
				$fault['seconds'] = (float) ( $rest[1] ?? 20 );
			} elseif ( 'truncated' === $kind ) {
				$fault['package'] = $rest[1] ?? fail( 'fault truncated PACKAGE [full|short]' );
				$fault['length']  = $rest[2] ?? 'short';
				if ( ! in_array( $fault['length'], array( 'full', 'short' ), true ) ) {
					fail( 'the announced length is full or short' );
				}
			} elseif ( ! in_array( $kind, array( 'none', 'refused', 'down', 'garbage', 'empty', 'hostile' ), true ) ) {
				fail( 'fault none|refused|down|garbage|empty|slow [SECONDS]|truncated PACKAGE [full|short]|hostile' );
			}
			$state['fault'] = $fault;
			break;
		case 'hosts':
			echo 'refused' === $state['fault']['kind'] ? 'away' : 'here', "\n";
			exit( 0 );
		default:
			fail( "unknown verb $verb" );
	}
}
$text = json_encode( $state, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR ) . "\n";
file_put_contents( "$file.new", $text );
chmod( "$file.new", 0644 );
rename( "$file.new", $file );
