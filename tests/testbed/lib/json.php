<?php
/**
 * Prints a JSON object from arguments of the form a.b=text, a.b:=json.
 */
$all = array();
foreach ( array_slice( $argv, 1 ) as $argument ) {
	if ( ! preg_match( '/^([a-z0-9_.]+)(:?=)(.*)$/s', $argument, $m ) ) {
		fwrite( STDERR, "testbed: bad argument $argument\n" );
		exit( 2 );
	}
	$place = &$all;
	foreach ( explode( '.', $m[1] ) as $key ) {
		$place = &$place[ $key ];
	}
	$place = ':=' === $m[2] ? json_decode( $m[3], true, 64, JSON_THROW_ON_ERROR ) : $m[3];
	unset( $place );
}
echo json_encode( $all, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR ), "\n";
