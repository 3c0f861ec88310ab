<?php
/**
 * Compiles a simple .po file (single-line messages) to a .mo file: php mo.php IN OUT
 */
$messages = array();
$id       = null;
$which    = null;
foreach ( file( $argv[1], FILE_IGNORE_NEW_LINES ) as $line ) {
	if ( preg_match( '/^(?:(msgid|msgstr) )?"(.*)"$/', $line, $m ) ) {
		$which = $m[1] ? $m[1] : $which;
		$text  = stripcslashes( $m[2] );
		if ( 'msgid' === $m[1] ) {
			$id = $text;
		} elseif ( 'msgid' === $which ) {
			$id .= $text;
		} else {
			$messages[ $id ] = ( $messages[ $id ] ?? '' ) . $text;
		}
	}
}
ksort( $messages, SORT_STRING );
$count   = count( $messages );
$ids     = '';
$strings = '';
$offsets = array( array(), array() );
foreach ( $messages as $from => $to ) {
	$offsets[0][] = array( strlen( $from ), strlen( $ids ) );
	$offsets[1][] = array( strlen( $to ), strlen( $strings ) );
	$ids         .= $from . "\0";
	$strings     .= $to . "\0";
}
$start = 28 + 16 * $count;
$out   = pack( 'V7', 0x950412de, 0, $count, 28, 28 + 8 * $count, 0, $start );
foreach ( $offsets[0] as $o ) {
	$out .= pack( 'V2', $o[0], $start + $o[1] );
}
foreach ( $offsets[1] as $o ) {
	$out .= pack( 'V2', $o[0], $start + strlen( $ids ) + $o[1] );
}
file_put_contents( $argv[2], $out . $ids . $strings );
